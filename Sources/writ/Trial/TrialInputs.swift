// The inputs of a trial's job: as given, with names for what the emulator holds, and the rest from the schema.

import Arazzo
import AuthOSEmulator
import JSON
import Secrets

/// Fills in the inputs of a job type.
struct TrialInputs: Sendable {
  /// What the emulator holds at the start of each trial.
  static let users = [
    SeedUser(
      email: "ada@example.com", plan: "free",
      connectedAccounts: [
        SeedConnectedAccount(
          provider: "github", providerUserID: "4711", scopes: ["read:user", "repo"],
          grantedScopes: ["read:user", "repo"], token: SandboxSecrets.randomText(bytes: 20))
      ]),
    SeedUser(email: "grace@example.com"),
    SeedUser(email: "katherine@example.com", isLinked: false),
  ]

  /// The names, with what each stands for; `--help` shows them.
  static let names: [(name: String, meaning: String)] = [
    ("@user", "a linked user, subscribed to the plan free, connected to github"),
    ("@user.email", "that user's e-mail address"),
    ("@user_without_plan", "a linked user without a subscription"),
    ("@unlinked_user", "a user who is not linked to the service"),
    ("@nobody", "an id that nobody has"),
    ("@email", "an e-mail address that nobody has"),
    ("@plan", "the plan pro; @plan.free and @plan.team are others"),
  ]

  let seeded: SeededValues

  /// The inputs of a job.
  ///
  /// What is not given comes from the schema: its default is filled in by the database; then its first
  /// example, and what its name or kind says.
  /// - Throws: ``CommandError`` for an unknown name, and for required inputs that nothing says a value of.
  func inputs(_ given: JSONObject, for type: JobTypeDefinition) throws(CommandError) -> JSONObject {
    var inputs = JSONObject()
    for (name, value) in given.members { inputs[name] = try resolved(value, of: name) }
    var missing: [String] = []
    for input in type.workflow.inputs.parameters
    where inputs[input.name] == nil && input.isRequired && input.defaultValue == nil {
      if let value = value(for: input) {
        inputs[input.name] = value
      } else {
        missing.append(input.name)
      }
    }
    guard missing.isEmpty else {
      throw CommandError(
        .badData,
        "\(type.name) needs \(missing.joined(separator: ", ")): pass --input \(missing[0])=…, or give "
          + "the input `examples` in its schema")
    }
    return inputs
  }

  private func resolved(_ value: JSONValue, of input: String) throws(CommandError) -> JSONValue {
    guard case .string(let text) = value, text.hasPrefix("@") else { return value }
    if text.hasPrefix("@@") { return .string(String(text.dropFirst())) }
    guard let found = seed(text) else {
      throw CommandError(
        .usage,
        "--input \(input.printable): nothing at the emulator is called \(text.printable)"
          + (Suggestion.nearest(to: text, among: Self.names.map(\.name)).map {
            "; did you mean \($0)?"
          } ?? "; --help lists the names; write @@ for a value that begins with @"))
    }
    return .string(found)
  }

  private func seed(_ name: String) -> String? {
    switch name {
    case "@user": return seeded.userIDs["ada@example.com"]
    case "@user.email": return "ada@example.com"
    case "@user_without_plan": return seeded.userIDs["grace@example.com"]
    case "@unlinked_user": return seeded.userIDs["katherine@example.com"]
    case "@nobody": return "00000000-0000-4000-8000-000000000000"
    case "@email": return "nobody-yet@example.com"
    case "@plan": return seeded.planIDs["pro"]
    default:
      guard name.hasPrefix("@plan.") else { return nil }
      return seeded.planIDs[String(name.dropFirst("@plan.".count))]
    }
  }

  private func value(for input: InputProperty) -> JSONValue? {
    if let example = input.example { return example }
    if let first = input.constraints.allowedValues?.first { return .string(first) }
    switch (input.kind, input.name) {
    case (.uuid, "user_id"), (.string, "user_id"): return seed("@user").map { .string($0) }
    case (.uuid, "plan_id"), (.string, "plan_id"): return seed("@plan").map { .string($0) }
    case (.email, _): return seed("@email").map { .string($0) }
    case (.publicKey, _): return .string(SealingPrivateKey().publicKey.description)
    case (.boolean, _): return false
    case (.json, _): return nil
    default: return SchemaValue.example(input.textSchema)
    }
  }
}

extension InputProperty {
  /// As much of the schema as a made-up value has to fit.
  fileprivate var textSchema: JSONValue {
    let format: String? =
      switch kind {
      case .uuid, .uuidArray: "uuid"
      case .dateTime: "date-time"
      case .uri: "uri"
      default: nil
      }
    let element: JSONValue = .members([
      ("type", kind == .integerArray ? "integer" : "string"),
      ("format", format.map { .string($0) }),
      ("pattern", constraints.pattern.map { .string($0.text) }),
      ("minLength", constraints.minLength.map { JSONValue($0) }),
      ("maxLength", constraints.maxLength.map { JSONValue($0) }),
    ])
    switch kind {
    case .integer, .number:
      return .members([
        ("type", "number"), ("minimum", constraints.minimum.map { .number($0) }),
        ("maximum", constraints.maximum.map { .number($0) }),
      ])
    case .stringArray, .uuidArray, .integerArray:
      return .members([
        ("type", "array"), ("items", element),
        ("minItems", constraints.minItems.map { JSONValue($0) }),
        ("maxItems", constraints.maxItems.map { JSONValue($0) }),
      ])
    default: return element
    }
  }
}
