// Publishing: a checked definition becomes one jsonb, from which the database generates its functions.

public import Arazzo
import Crypto
public import JSON
public import Postgres

/// A job type that can be ordered now.
public struct PublishedJobType: Sendable, Hashable {
  /// Its name.
  public let name: String
  /// What it does.
  public let description: String?
  /// The hash of its definition.
  public let definitionHash: String
  /// Its inputs as they were published: name, kind, required, description and limits of each.
  public let inputs: JSONValue
  /// After how many counted failures a job is given up.
  public let maxAttempts: Int
  /// How many jobs may run at once; `nil` for no limit.
  public let concurrency: Int?
  /// `safe`, `review` or `never`.
  public let replay: String
  /// When it was published.
  public let publishedAt: PostgresTimestamp
  /// By which role.
  public let publishedBy: String
  /// The names of the targets that its jobs call; empty also where an earlier version published it.
  public let targets: [String]

  /// Whether publishing a definition would change nothing: the same documents, and inputs and targets that this version
  /// reads as the one did that published them.
  public func isUpToDate(with definition: JobTypeDefinition) -> Bool {
    // The database has the inputs in the order of the parameters of its function.
    definitionHash == definition.hash && targets == definition.targets.map(\.source)
      && Set(inputs.arrayValue ?? [])
        == Set(definition.workflow.inputs.parameters.map(\.specification))
  }
}

extension JobStore {
  /// Publishes a definition: keeps its texts under their hash and makes its SQL functions.
  ///
  /// Grants on the functions survive; jobs that are enqueued already keep their definition. Role `writ_admin`.
  /// - Returns: Whether anything changed: another definition, or another reading of it by this version.
  /// - Throws: ``JobStoreError`` with `unpublishable`; `PostgresError` with SQLSTATE WR009 for what the
  ///   database refuses.
  @discardableResult
  public func publish(_ definition: JobTypeDefinition) async throws -> Bool {
    let specification = try definition.specification
    return try await row(.publish, [.json(specification.serialized())]).decode("changed")
  }

  /// The types that can be ordered now, by name.
  public func jobTypes() async throws -> [PublishedJobType] {
    try await pool.query(.jobTypes).map { row in
      PublishedJobType(
        name: try row.decode("name"), description: try row.decode("description"),
        definitionHash: try row.decode("definition_hash"),
        inputs: try row.decodeJSON("inputs") ?? .array([]),
        maxAttempts: try row.decode("max_attempts"), concurrency: try row.decode("concurrency"),
        replay: try row.decode("replay"), publishedAt: try row.decode("published_at"),
        publishedBy: try row.decode("published_by"), targets: try row.decode("targets"))
    }
  }

  /// Lets a role order jobs of a type.
  ///
  /// It also has to be a member of `writ_enqueuer`.
  public func grant(jobType: String, to role: String) async throws {
    _ = try await pool.query(.grantJobType, [.text(jobType), .text(role)])
  }

  /// Takes that right away.
  public func revoke(jobType: String, from role: String) async throws {
    _ = try await pool.query(.revokeJobType, [.text(jobType), .text(role)])
  }
}

extension JobTypeDefinition {
  /// The SHA-256, in hex, of the type's name and of every document that it is made of.
  public var hash: String {
    let files = files.map { JSONValue.array([.string($0.path), .string($0.text)]) }
    let text = JSONValue.array([.string(name), .array(files)]).canonical
    return SHA256.hash(data: Array(text.utf8)).hexadecimal
  }

  /// What `writ.publish_job_type` takes.
  var specification: JSONValue {
    get throws {
      let policy = workflow.policy
      var object = JSONObject([
        ("name", .string(name)), ("hash", .string(hash)),
        ("description", JSONValue(workflow.summary ?? workflow.description)),
        ("arazzo_path", .string(document.file)),
        ("arazzo", .string(files.first { $0.path == document.file }?.text ?? "")),
        (
          "sources",
          .array(files.map { ["path": .string($0.path), "text": .string($0.text)] })
        ),
        ("inputs", .array(workflow.inputs.parameters.map(\.specification))),
        ("max_attempts", JSONValue(policy.retry.maxAttempts)),
        ("concurrency", JSONValue(policy.concurrency)), ("replay", .string(policy.replay.rawValue)),
      ])
      object["rate"] = policy.rate.map { rate in
        ["limit": JSONValue(rate.limit), "seconds": rate.period.inSeconds]
      }
      object["deadline_seconds"] = policy.deadline?.inSeconds
      object["key_window_seconds"] = policy.idempotencyWindow.inSeconds
      object["targets"] = .array(targets.map { .string($0.source) })
      object["schedules"] = .array(policy.schedules.map(\.specification))
      object["subject"] = try policy.subject.map { .array(try parts(of: $0)) } ?? .null
      return .object(object)
    }
  }

  private func parts(of subject: ValueTemplate) throws -> [JSONValue] {
    switch subject {
    case .literal(let value): [["literal": .string(value.stringValue ?? value.serialized())]]
    case .expression(let expression): [try part(expression)]
    case .text(let parts):
      try parts.map { part in
        switch part {
        case .literal(let text): ["literal": .string(text)]
        case .expression(let expression): try self.part(expression)
        }
      }
    case .array, .object:
      throw JobStoreError(.unpublishable, "\(name): the subject must be a text over the inputs")
    }
  }

  private func part(_ expression: RuntimeExpression) throws -> JSONValue {
    guard case .input(let input) = expression.source, expression.pointer == nil else {
      throw JobStoreError(
        .unpublishable, "\(name): the subject may use inputs and nothing else")
    }
    return ["input": .string(input)]
  }
}

extension Duration {
  /// A number of seconds, exact to the microsecond.
  fileprivate var inSeconds: JSONValue {
    .number(JSONNumber(self / .seconds(1)))
  }
}

extension InputProperty {
  /// What `writ.publish_job_type` takes for one input; members that say nothing are left out.
  fileprivate var specification: JSONValue {
    var object = JSONObject([
      ("name", .string(name)), ("kind", .string(kind.sqlName)), ("required", .bool(isRequired)),
      ("record", .string(policy.record.rawValue)),
    ])
    object["description"] = description.map { .string($0) }
    object["default"] = defaultValue
    object["normalize"] = policy.normalization.map { .string($0.rawValue) }
    object["refuse"] = policy.refusal.map { .string($0) }
    object["min_length"] = constraints.minLength.map { JSONValue($0) }
    object["max_length"] = constraints.maxLength.map { JSONValue($0) }
    object["pattern"] = constraints.pattern.map { .string($0.text) }
    object["expression"] = constraints.pattern.map { .string($0.postgresPattern) }
    object["enum"] = constraints.allowedValues.map { .array($0.map { .string($0) }) }
    object["minimum"] = constraints.minimum.map { .number($0) }
    object["maximum"] = constraints.maximum.map { .number($0) }
    object["min_items"] = constraints.minItems.map { JSONValue($0) }
    object["max_items"] = constraints.maxItems.map { JSONValue($0) }
    object["json_type"] = constraints.jsonType.map { .string($0.rawValue) }
    return .object(object)
  }
}

extension InputProperty.Kind {
  /// The kind in the words of `writ_data.native_type`.
  fileprivate var sqlName: String {
    switch self {
    case .string: "string"
    case .uuid: "uuid"
    case .dateTime: "date_time"
    case .email: "email"
    case .uri: "uri"
    case .publicKey: "public_key"
    case .integer: "integer"
    case .number: "number"
    case .boolean: "boolean"
    case .stringArray: "string_array"
    case .uuidArray: "uuid_array"
    case .integerArray: "integer_array"
    case .json: "json"
    }
  }
}
