// Which request of a trial goes wrong, and how.

import Arazzo
import AuthOSEmulator
import JobModel

/// An operation of one of the services that a trial's job calls.
enum TrialOperation: Sendable, Hashable {
  /// One of the emulator.
  case authOS(AuthOSEmulator.Operation)
  /// One of the stand-in of this name.
  case standIn(String, operation: String)

  /// The name of the source description of its service.
  var target: String {
    switch self {
    case .authOS: SecretNaming.authOS
    case .standIn(let name, _): name
    }
  }

  var isOfStandIn: Bool { if case .standIn = self { true } else { false } }

  func isOf(standIn name: String) -> Bool { isOfStandIn && target == name }
}

/// One fault at one request.
struct TrialFault: Sendable, Hashable {
  /// The operation whose request it hits.
  var operation: TrialOperation
  /// Which of its requests, from 1.
  var ordinal: Int
  /// The kind of fault.
  var kind: String
  /// The step or operation, as a person would name it.
  var place: String

  /// `dropAfter at add`, with the ordinal where it is not the first.
  var text: String { "\(kind) at \(place)\(ordinal > 1 ? ", request \(ordinal)" : "")" }

  /// The plan that makes these faults happen at the emulator and nothing else.
  static func plan(_ faults: [TrialFault]) -> FaultPlan {
    let rules = scripts(faults).compactMap { operation, script -> FaultRule? in
      guard case .authOS(let operation) = operation else { return nil }
      return FaultRule(FaultRoute(operation), script: script)
    }
    return FaultPlan(rules: rules.sorted { $0.route.text < $1.route.text })
  }

  /// What meets the requests of a stand-in, by the names of its operations.
  static func scripts(_ faults: [TrialFault], at name: String) -> [String: [Fault?]] {
    var found: [String: [Fault?]] = [:]
    for case (.standIn(name, let operation), let script) in scripts(faults) {
      found[operation] = script
    }
    return found
  }

  private static func scripts(_ faults: [TrialFault]) -> [TrialOperation: [Fault?]] {
    Dictionary(grouping: faults, by: \.operation).mapValues { faults in
      var script = [Fault?](repeating: nil, count: faults.map(\.ordinal).max() ?? 0)
      for fault in faults { script[fault.ordinal - 1] = Fault(kind: fault.kind) }
      return script
    }
  }

  /// Whether a kind can happen at an operation at all.
  static func applies(_ kind: String, to operation: TrialOperation) -> Bool {
    guard case .authOS(let operation) = operation else {
      return !Fault.kindsOfAuthOS.contains(kind)
    }
    return switch kind {
    case "passwordHashingBusy": operation == .login
    case "bookkeeping500": operation.template.path.hasPrefix("/api/service/")
    case "silentSubscriptionDeleteFailure": operation == .deleteServiceUser
    case "stopHalfWay": operation == .createServiceUser || operation == .deleteServiceUser
    default: true
    }
  }
}

/// What `--fault` says: `STEP=KIND`, `OPERATION=KIND:N`.
struct TrialFaultOption: Sendable, Hashable {
  /// A step of the job type, or an operation.
  var name: String
  var kind: String
  /// Which request of the step or operation, from 1.
  var ordinal: Int

  /// - Throws: ``CommandError`` with the part that is wrong.
  init(parsing text: String) throws(CommandError) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      throw CommandError(.usage, "--fault takes STEP=KIND, for example create=dropAfter")
    }
    let words = parts[1].split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard words.count <= 2, Fault.kinds.contains(words[0]) else {
      throw CommandError(
        .usage,
        "--fault \(parts[0].printable): there is no kind of fault \(words[0].printable)"
          + (Suggestion.nearest(to: words[0], among: Fault.kinds).map { "; did you mean \($0)?" }
            ?? "; --help lists them"))
    }
    guard words.count == 1 || (Int(words[1]).map { (1...1_000).contains($0) } ?? false) else {
      throw CommandError(
        .usage, "--fault \(parts[0].printable): the number of the request must be from 1 to 1000")
    }
    name = parts[0]
    kind = words[0]
    ordinal = words.count == 2 ? Int(words[1]) ?? 1 : 1
  }
}

/// The requests of a job type, by the names that people use for them.
struct TrialOperations: Sendable {
  private let type: JobTypeDefinition
  /// The sources that are servers of the author's own.
  private let ownTargets: Set<String>

  init(_ type: JobTypeDefinition, ownTargets: some Sequence<String> = []) {
    self.type = type
    self.ownTargets = Set(ownTargets)
  }

  /// The fault of an option.
  ///
  /// - Parameter clean: The journal of a job to which nothing happened: it tells how many requests of the same
  ///   operation come before a step's own.
  /// - Throws: ``CommandError`` for a name that is neither a step nor an operation, and for one that never
  ///   asks the emulator.
  func fault(_ option: TrialFaultOption, clean: [String]) throws(CommandError) -> TrialFault {
    if let step = step(option.name) {
      guard case .operation(_, _, let isLocal) = step.target else {
        throw CommandError(
          .badData,
          "--fault \(option.name): the step calls a workflow; name one of its operations instead")
      }
      guard !isLocal else {
        throw CommandError(
          .badData,
          "--fault \(option.name): the step is carried out by the worker itself and sends no request"
        )
      }
      let operation = try served(step, option)
      let before = clean.prefix { $0 != option.name }
      let earlier =
        before.count == clean.count
        ? 0 : before.count { self.step($0).flatMap(self.operation) == operation }
      return TrialFault(
        operation: operation, ordinal: option.ordinal + earlier, kind: option.kind,
        place: option.name)
    }
    if let step = steps.first(where: { described($0)?.operation.operationId == option.name }) {
      return TrialFault(
        operation: try served(step, option), ordinal: option.ordinal,
        kind: option.kind, place: option.name)
    }
    if let operation = AuthOSEmulator.Operation(rawValue: option.name) {
      return TrialFault(
        operation: .authOS(operation), ordinal: option.ordinal, kind: option.kind,
        place: option.name)
    }
    let names = steps.map(\.stepId) + steps.compactMap { described($0)?.operation.operationId }
    throw CommandError(
      .badData,
      "--fault \(option.name.printable): the job type has no such step or operation"
        + Suggestion.question(option.name, among: names))
  }

  /// Every kind of fault at each of these requests, in their order.
  func everyFault(_ requests: [TrialRequest]) -> [TrialFault] {
    var seen: [TrialOperation: Int] = [:]
    var faults: [TrialFault] = []
    for request in requests where request.operation != .authOS(.login) {
      seen[request.operation, default: 0] += 1
      let name = name(of: request.operation)
      for kind in Fault.kinds where TrialFault.applies(kind, to: request.operation) {
        faults.append(
          TrialFault(
            operation: request.operation, ordinal: seen[request.operation] ?? 1, kind: kind,
            place: name))
      }
    }
    return faults
  }

  /// The operation's name in the catalogue, or else that of the emulator.
  func name(of operation: TrialOperation) -> String {
    switch operation {
    case .standIn(_, let name): name
    case .authOS(let emulated):
      steps.first { self.operation($0) == operation }
        .flatMap { described($0)?.operation.operationId } ?? emulated.rawValue
    }
  }

  // MARK: Steps

  private var steps: [Step] {
    type.workflow.steps
      + type.document.workflows.filter { $0.workflowId != type.workflow.workflowId }
      .flatMap(\.steps)
  }

  private func step(_ name: String) -> Step? { steps.first { $0.stepId == name } }

  /// The operation that a step asks a service for, and the name of the service.
  private func described(_ step: Step) -> (operation: Arazzo.Operation, source: String)? {
    guard case .operation(let operation, let source, isLocal: false) = step.target else {
      return nil
    }
    return (operation, source)
  }

  private func operation(_ step: Step) -> TrialOperation? {
    guard let (operation, source) = described(step), !ownTargets.contains(source) else {
      return nil
    }
    guard source == SecretNaming.authOS else {
      return .standIn(source, operation: operation.name)
    }
    return Self.emulated(operation).map { .authOS($0) }
  }

  private func served(
    _ step: Step, _ option: TrialFaultOption
  ) throws(CommandError) -> TrialOperation {
    if let (_, source) = described(step), ownTargets.contains(source) {
      throw CommandError(
        .badData,
        "--fault \(option.name): the request goes to the server of --target \(source), which is left as it "
          + "is; without --target a stand-in can misbehave")
    }
    guard let operation = operation(step) else {
      throw CommandError(
        .badData, "--fault \(option.name): the emulator of AuthOS does not know the operation")
    }
    guard TrialFault.applies(option.kind, to: operation) || !operation.isOfStandIn else {
      throw CommandError(
        .badData, "--fault \(option.name): only AuthOS can show \(option.kind)")
    }
    return operation
  }

  /// The emulator's operation of the same method and path, whatever the parameters are called.
  private static func emulated(_ operation: Arazzo.Operation) -> AuthOSEmulator.Operation? {
    func normalized(_ path: String) -> String { path.replacing(/\{[^}]*\}/, with: "{}") }
    return AuthOSEmulator.Operation.allCases.first {
      $0.template.method == operation.method.name
        && normalized($0.template.path) == normalized(operation.path)
    }
  }
}
