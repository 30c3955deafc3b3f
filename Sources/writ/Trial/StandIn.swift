// A stand-in for an API that is no AuthOS: it answers from the API's OpenAPI description.

import Arazzo
import AuthOSEmulator
import Foundation
import JSON
import Synchronization

/// A request at a stand-in.
struct StandInRequest: Sendable, Hashable {
  /// Its ordinal among all requests of the stand-in, from 1.
  var number: Int
  /// The operation's name; method and path where the description has no such operation.
  var operation: String
  /// The status of the answer, or 0 where the connection was dropped.
  var status: Int
  /// The kind of the injected fault.
  var fault: String?
}

/// What a request would have changed at the real service.
struct StandInEffect: Sendable, Hashable {
  var operation: String
  var effect: OperationEffect
  var requestNumber: Int
  /// Whether the service can tell that it has carried out the same already.
  var isRepeated: Bool
}

/// Answers every operation of a description with what the description says, and changes nothing.
///
/// The answer is the first 2xx response of the operation: its example, or a value that fits its schema. What
/// the description does not allow is refused: unknown paths, missing credentials, bodies of another shape.
/// Nothing of a request is kept but its operation, the status of its answer, and a digest that tells a
/// repetition.
final class StandIn: EmulatedService {
  /// The name of the source description.
  let name: String
  private let document: OpenAPIDocument
  private let state = Mutex(State())

  private struct State {
    var requests: [StandInRequest] = []
    var effects: [StandInEffect] = []
    var seen: Set<String> = []
    /// The faults of the next requests of an operation, by its name.
    var scripts: [String: [Fault?]] = [:]
  }

  init(name: String, document: OpenAPIDocument) {
    self.name = name
    self.document = document
  }

  let bodyLimit = 16 * 1024 * 1024
  let timeLimit = Duration.seconds(30)
  var headersOfInterest: [String]? { nil }

  var requests: [StandInRequest] { state.withLock { $0.requests } }
  var effects: [StandInEffect] { state.withLock { $0.effects } }

  /// Begins anew: the n-th request of an operation meets the n-th fault of its script.
  func restart(_ scripts: [String: [Fault?]]) {
    state.withLock { $0 = State(scripts: scripts) }
  }

  func nextFault(for request: EmulatedRequest) -> Fault? {
    guard let operation = operation(of: request)?.name else { return nil }
    return state.withLock { state in
      guard state.scripts[operation]?.isEmpty == false else { return nil }
      return state.scripts[operation]?.removeFirst() ?? nil
    }
  }

  func respond(
    to request: EmulatedRequest, at now: UTCTime, fault: Fault?
  ) -> EmulatedAnswer {
    let operation = operation(of: request)
    let failure = EmulatedAnswer.response(EmulatedResponse(status: 500))
    return state.withLock { state in
      let number = state.requests.count + 1
      let answer: EmulatedAnswer
      if operation != nil, let early = fault?.answerBeforeEffect(at: now, failure: failure) {
        answer = early
      } else {
        let handled = EmulatedAnswer.response(handle(request, operation, number, &state))
        answer =
          operation == nil
          ? handled : fault?.answerAfterEffect(handled, at: now, failure: failure) ?? handled
      }
      state.requests.append(
        StandInRequest(
          number: number, operation: operation?.name ?? "\(request.method) \(request.path)",
          status: answer.response?.status ?? 0, fault: operation == nil ? nil : fault?.kind))
      return answer
    }
  }

  private func handle(
    _ request: EmulatedRequest, _ operation: Arazzo.Operation?, _ number: Int,
    _ state: inout State
  ) -> EmulatedResponse {
    guard let operation else {
      return .refusal(404, "the description of \(name) has no such method and path")
    }
    if let scheme = document.schemes(of: operation).first(where: { !Self.isGiven($0, request) }) {
      return .refusal(401, "the request lacks what the scheme \(scheme.name) asks for")
    }
    if let fault = Self.bodyFault(request, operation) { return .refusal(422, fault) }
    if operation.effect != .none {
      let isNew = state.seen.insert(Self.identity(of: request, operation, number)).inserted
      state.effects.append(
        StandInEffect(
          operation: operation.name, effect: operation.effect, requestNumber: number,
          isRepeated: !isNew))
    }
    return Self.answer(operation, to: request)
  }

  // MARK: Requests

  private func operation(of request: EmulatedRequest) -> Arazzo.Operation? {
    let path = request.path.split(separator: "/", omittingEmptySubsequences: false)
    let fitting = document.operations.filter { operation in
      let template = operation.path.split(separator: "/", omittingEmptySubsequences: false)
      return operation.method.name == request.method && template.count == path.count
        && zip(template, path).allSatisfy { part, segment in
          part.hasPrefix("{") && part.hasSuffix("}") ? !segment.isEmpty : part == segment
        }
    }
    // OpenAPI: a path without parameters comes before one with them.
    return fitting.min { $0.path.count { $0 == "{" } < $1.path.count { $0 == "{" } }
  }

  private static func isGiven(_ scheme: SecurityScheme, _ request: EmulatedRequest) -> Bool {
    switch scheme.kind {
    case .apiKey(let name, .header): request.value(of: name)?.isEmpty == false
    case .apiKey(let name, .query):
      request.query.split(separator: "&").contains { $0.hasPrefix("\(name)=") }
    case .apiKey(let name, .cookie): request.value(of: "cookie")?.contains("\(name)=") == true
    case .bearer: request.value(of: "authorization")?.hasPrefix("Bearer ") == true
    case .basic: request.value(of: "authorization")?.hasPrefix("Basic ") == true
    }
  }

  /// What is wrong with a body; that of a type other than JSON is not looked into.
  private static func bodyFault(
    _ request: EmulatedRequest, _ operation: Arazzo.Operation
  ) -> String? {
    guard let described = operation.requestBody else { return nil }
    guard !request.body.isEmpty else {
      return described.isRequired ? "the operation needs a body" : nil
    }
    let type = MediaType.bare(request.value(of: "content-type") ?? "")
    guard let media = described.content.first(where: { MediaType.bare($0.contentType) == type })
    else {
      return "the operation takes no body of this content type"
    }
    guard isJSON(media.contentType) else { return nil }
    guard let body = try? JSONValue(parsing: request.body) else { return "the body is no JSON" }
    return media.schema.flatMap { SchemaValue.fault(body, $0) }
  }

  /// What tells a repetition from another request of the same operation.
  ///
  /// Who makes something twice has two, unless the request bears a key by which the service knows it again.
  /// An update or a deletion that is sent again in the same words is done once.
  private static func identity(
    of request: EmulatedRequest, _ operation: Arazzo.Operation, _ number: Int
  ) -> String {
    for header in ["webhook-id", "idempotency-key"] {
      if let key = request.value(of: header) { return "\(operation.name) \(header) \(key)" }
    }
    guard operation.effect != .create || operation.method == .put else {
      return "\(operation.name) request \(number)"
    }
    let body = String(decoding: request.body, as: UTF8.self)
    return "\(operation.name) \(request.path)?\(request.query) \(body)"
  }

  // MARK: Answers

  private static func answer(
    _ operation: Arazzo.Operation, to request: EmulatedRequest
  ) -> EmulatedResponse {
    let success = operation.responses.lazy.compactMap { response -> (Int, ResponseDescription)? in
      switch response.status {
      case .code(let code) where (200...299).contains(code): (code, response)
      case .range(2): (200, response)
      default: nil
      }
    }.first
    guard let (status, response) = success else { return EmulatedResponse(status: 204) }
    guard
      let media = response.content.first(where: { isJSON($0.contentType) })
        ?? response.content.first
    else { return EmulatedResponse(status: status) }
    let value =
      media.example
      ?? media.schema.map { echoing(request, operation, SchemaValue.example($0), $0) }
      ?? .object(JSONObject())
    let body =
      isJSON(media.contentType) ? value.serialized() : value.stringValue ?? value.serialized()
    return EmulatedResponse(
      status: status, headers: [("content-type", media.contentType)], body: Array(body.utf8))
  }

  /// A made-up value in which what the request calls the same is the same: the id of the path, the name that
  /// was written.
  private static func echoing(
    _ request: EmulatedRequest, _ operation: Arazzo.Operation, _ value: JSONValue,
    _ schema: JSONValue
  ) -> JSONValue {
    guard var object = value.objectValue else { return value }
    let template = operation.path.split(separator: "/", omittingEmptySubsequences: false)
    let path = request.path.split(separator: "/", omittingEmptySubsequences: false)
    let fromPath = zip(template, path).filter { $0.0.hasPrefix("{") }.map { part, segment in
      (String(part.dropFirst().dropLast()), JSONValue.string(segment.removingPercentEncoding ?? ""))
    }
    let fromBody = (try? JSONValue(parsing: request.body))?.objectValue?.members ?? []
    for (name, given) in fromBody.map({ ($0.name, $0.value) }) + fromPath {
      guard object[name] != nil,
        SchemaValue.fault(given, schema["properties"]?[name] ?? true) == nil
      else { continue }
      object[name] = given
    }
    return .object(object)
  }

  private static func isJSON(_ type: String) -> Bool {
    type == "application/json" || type.hasSuffix("+json")
  }
}

extension EmulatedRequest {
  fileprivate func value(of header: String) -> String? {
    headers.first { $0.name.lowercased() == header.lowercased() }?.value
  }
}

extension EmulatedResponse {
  /// A refusal in words that hold nothing of the request.
  fileprivate static func refusal(_ status: Int, _ reason: String) -> EmulatedResponse {
    EmulatedResponse(
      status: status, headers: [("content-type", "application/problem+json")],
      body: Array(JSONValue.object(JSONObject([("title", .string(reason))])).serialized().utf8))
  }
}

/// Whether effects at a stand-in happened more often than they should.
enum StandInDoubling {
  /// What took effect more often than in a job to which nothing happened, in words.
  static func found(_ effects: [StandInEffect], beyond clean: [StandInEffect]) -> [String] {
    var names: [String] = []
    for effect in effects where !names.contains(effect.operation) { names.append(effect.operation) }
    return names.compactMap { name in
      func count(_ effects: [StandInEffect]) -> Int {
        effects.count { $0.operation == name && !$0.isRepeated }
      }
      let more = count(effects) - count(clean)
      guard more > 0 else { return nil }
      return "\(name) took effect \(more == 1 ? "once" : "\(more) times") too often"
    }
  }
}
