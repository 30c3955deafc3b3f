// From a step of the workflow to the request that the worker sends.

import Arazzo
import JSON

/// Why a step cannot be made into a request: a value that it needs is not there or not usable.
struct UnbuildableRequest: Error {
  /// What is wrong; names the parameter, never its value.
  var reason: String
}

/// Makes requests of the steps of one job.
struct RequestBuilder: Sendable {
  let environment: String
  let jobType: String
  let jobID: Int

  /// The request of a step of a frame.
  ///
  /// - Parameter passes: How often the job has been done with the step before.
  func request(
    _ step: Step, path: String, passes: Int, in frame: WorkflowFrame, context: EvaluationContext
  ) throws(UnbuildableRequest) -> StepRequest {
    guard case .operation(let operation, let source, let isLocal) = step.target else {
      throw UnbuildableRequest(reason: "the step calls no operation")
    }
    let body = step.requestBody.map { Self.value(of: $0, context) }
    if case .some(nil) = body { throw UnbuildableRequest(reason: "the body has no value") }
    var headers = [(name: "accept", value: "application/json")]
    var bytes: [UInt8]?
    if let value = body ?? nil, let contentType = step.requestBody?.contentType {
      headers.append((name: "content-type", value: contentType))
      bytes = try Self.bytes(of: value, contentType: contentType)
    }
    headers += try Self.headers(of: step, context: context)
    return StepRequest(
      step: path, operationID: operation.name, effect: step.effect,
      target: isLocal
        ? .local(input: (body ?? nil) ?? .object(JSONObject()))
        : .remote(source: source, servers: operation.servers),
      method: operation.method.name,
      path: try Self.target(of: step, operation, context: context), headers: headers, body: bytes,
      credential: isLocal
        ? .none : try credential(of: step, operation, source: source, in: frame, context: context),
      messageIdentity: isLocal || operation.signature == .none
        ? nil : "\(environment) \(jobType) \(jobID) \(path) \(passes)",
      timeout: step.timeout ?? frame.workflow.policy.requestTimeout)
  }

  /// The body before it is written; what values bring into the text of a form is encoded, so that it cannot
  /// add fields.
  private static func value(of body: RequestBody, _ context: EvaluationContext) -> JSONValue? {
    guard MediaType.bare(body.contentType) == MediaType.form, body.replacements.isEmpty,
      case .text(let parts)? = body.payload
    else { return body.evaluate(in: context) }
    return encoded(parts, context) { $0 }.map { .string($0) }
  }

  private static func bytes(
    of value: JSONValue, contentType: String
  ) throws(UnbuildableRequest) -> [UInt8] {
    if MediaType.isJSON(contentType) { return value.serializedBytes() }
    if MediaType.bare(contentType) == MediaType.form, case .object(let members) = value {
      return Array(try form(members).utf8)
    }
    guard case .string(let text) = value else {
      throw UnbuildableRequest(reason: "a body that is not JSON must be a string")
    }
    return Array(text.utf8)
  }

  /// A form: each element of a list is a field of its own; `null` is left out.
  private static func form(_ members: JSONObject) throws(UnbuildableRequest) -> String {
    var fields: [String] = []
    for (name, value) in members {
      for element in value.arrayValue ?? [value] {
        switch element {
        case .null: continue
        case .array, .object:
          throw UnbuildableRequest(reason: "the field \(name) of a form must be a single value")
        case .string(let text):
          fields.append(PercentEncoding.encoded(name) + "=" + PercentEncoding.encoded(text))
        default:
          fields.append(
            PercentEncoding.encoded(name) + "=" + PercentEncoding.encoded(element.serialized()))
        }
      }
    }
    return fields.joined(separator: "&")
  }

  private static func headers(
    of step: Step, context: EvaluationContext
  ) throws(UnbuildableRequest) -> [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = []
    for parameter in step.parameters where parameter.location == .header {
      guard let value = parameter.value.evaluateText(in: context) else { continue }
      guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
        throw UnbuildableRequest(reason: "the header \(parameter.name) has a control character")
      }
      headers.append((name: parameter.name.lowercased(), value: value))
    }
    let cookies = step.parameters.filter { $0.location == .cookie }.compactMap { parameter in
      parameter.value.evaluateText(in: context).map {
        PercentEncoding.encoded(parameter.name) + "=" + PercentEncoding.encoded($0)
      }
    }
    if !cookies.isEmpty {
      headers.append((name: "cookie", value: cookies.joined(separator: "; ")))
    }
    return headers
  }

  /// The path with its parameters, and the query.
  private static func target(
    of step: Step, _ operation: Operation, context: EvaluationContext
  ) throws(UnbuildableRequest) -> String {
    var path = ""
    var rest = Substring(operation.path)
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      let name = String(rest[rest.index(after: open)..<close])
      path += rest[..<open]
      path += try segment(name, of: step, context: context)
      rest = rest[rest.index(after: close)...]
    }
    path += rest
    var query = step.parameters.filter { $0.location == .query }.flatMap { parameter in
      fields(
        of: parameter,
        explodes: operation.parameter(parameter.name, in: .query)?.explodes ?? true, context)
    }
    query += step.parameters.filter { $0.location == .querystring }.compactMap {
      querystring($0.value, context)
    }
    return query.isEmpty ? path : path + "?" + query.joined(separator: "&")
  }

  /// A query parameter by OpenAPI's style `form`: a list, or an object, is many fields, or one with
  /// commas.
  private static func fields(
    of parameter: Parameter, explodes: Bool, _ context: EvaluationContext
  ) -> [String] {
    guard let value = parameter.value.evaluate(in: context) else { return [] }
    func encoded(_ value: JSONValue) -> String {
      PercentEncoding.encoded(value.stringValue ?? value.serialized())
    }
    let name = PercentEncoding.encoded(parameter.name)
    switch value {
    case .array(let elements) where explodes: return elements.map { "\(name)=\(encoded($0))" }
    case .array(let elements):
      return elements.isEmpty ? [] : [name + "=" + elements.map(encoded).joined(separator: ",")]
    case .object(let members) where explodes:
      return members.map { "\(PercentEncoding.encoded($0.name))=\(encoded($0.value))" }
    case .object(let members):
      let parts = members.flatMap { [PercentEncoding.encoded($0.name), encoded($0.value)] }
      return parts.isEmpty ? [] : [name + "=" + parts.joined(separator: ",")]
    default: return ["\(name)=\(encoded(value))"]
    }
  }

  /// A whole query: what the author wrote stays, what a value brings is encoded, so that it cannot
  /// add fields.
  private static func querystring(_ value: ValueTemplate, _ context: EvaluationContext) -> String? {
    guard case .text(let parts) = value else {
      return value.evaluateText(in: context).map(queryEncoded)
    }
    return encoded(parts, context, literal: queryEncoded)
  }

  /// A text of fields with every embedded value percent-encoded; `nil` where one has no value.
  private static func encoded(
    _ parts: [ValueTemplate.TextPart], _ context: EvaluationContext,
    literal: (String) -> String
  ) -> String? {
    var result = ""
    for part in parts {
      switch part {
      case .literal(let text): result += literal(text)
      case .expression(let expression):
        guard let value = expression.evaluate(in: context) else { return nil }
        result += PercentEncoding.encoded(value.stringValue ?? value.serialized())
      }
    }
    return result
  }

  /// What cannot stand in a query (RFC 3986, section 3.4) percent-encoded, the rest as it is.
  private static func queryEncoded(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      let isAllowed =
        scalar.isASCII
        && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
          || "-._~!$&'()*+,;=:@/?%".unicodeScalars.contains(scalar))
      return isAllowed ? String(scalar) : PercentEncoding.encoded(String(scalar))
    }.joined()
  }

  /// A path parameter, percent-encoded.
  ///
  /// An empty one would name the collection instead of its member, and dots would climb out of it:
  /// neither is ever meant.
  private static func segment(
    _ name: String, of step: Step, context: EvaluationContext
  ) throws(UnbuildableRequest) -> String {
    let parameter = step.parameters.first { $0.location == .path && $0.name == name }
    guard let value = parameter?.value.evaluate(in: context), !value.isNull,
      let text = parameter?.value.evaluateText(in: context), !text.isEmpty, text != ".",
      text != ".."
    else { throw UnbuildableRequest(reason: "the path parameter \(name) has no value") }
    return PercentEncoding.encoded(text)
  }

  private func credential(
    of step: Step, _ operation: Operation, source: String, in frame: WorkflowFrame,
    context: EvaluationContext
  ) throws(UnbuildableRequest) -> StepRequest.Credential {
    guard case .openAPI(let document)? = frame.document.sources[source] else { return .none }
    let schemes = document.schemes(of: operation)
    guard schemes.count == operation.security.first?.count ?? 0 else {
      throw UnbuildableRequest(reason: "a security scheme of the operation is not described")
    }
    if let scheme = schemes.first(where: { $0.session != nil }) { return .session(scheme) }
    let stored = try storedName(of: step, in: frame, context: context)
    var uses: [SecretUse] = []
    for scheme in schemes {
      if let stored {
        guard schemes.count == 1, scheme.kind != .basic else {
          throw UnbuildableRequest(
            reason: "x-writ.credential stands for a single key or token, and more is asked for")
        }
        uses.append(SecretUse(Self.place(of: scheme), names: [[stored]]))
      } else {
        uses.append(SecretUse(Self.place(of: scheme), names: names(scheme.secretWords, source)))
      }
    }
    if operation.signature == .standardWebhooks {
      uses.append(SecretUse(.standardWebhooks, names: names(["signing"], source)))
    }
    return uses.isEmpty ? .none : .secrets(uses)
  }

  private func names(_ words: [String], _ source: String) -> [[String]] {
    SecretNaming.places(words, environment: environment, jobType: jobType, target: source)
  }

  private static func place(of scheme: SecurityScheme) -> SecretUse.Place {
    switch scheme.kind {
    case .apiKey(let name, .header): .header(name: name, prefix: "")
    case .apiKey(let name, .query): .query(name: name)
    case .apiKey(let name, .cookie): .cookie(name: name)
    case .bearer: .header(name: "authorization", prefix: "Bearer ")
    case .basic: .basic
    }
  }

  private func storedName(
    of step: Step, in frame: WorkflowFrame, context: EvaluationContext
  ) throws(UnbuildableRequest) -> String? {
    let template: ValueTemplate?
    switch step.policy.credential {
    case nil: return nil
    case .stored(let name)?: template = name
    case .secretOf(let stepID, let output)?:
      if case .store(let name)? = frame.workflow.step(id: stepID)?.policy.sinks[output] {
        template = name
      } else {
        template = nil
      }
    }
    guard let name = template?.evaluateText(in: context) else {
      throw UnbuildableRequest(reason: "the name of the stored credential has no value")
    }
    return name
  }
}

extension Step {
  /// What the step does to the outside world.
  var effect: OperationEffect { policy.effect ?? operation?.effect ?? .none }
}

extension ClaimedJob {
  /// The value of an input that is marked `from: job`.
  func value(of field: InputProperty.JobField) -> JSONValue {
    switch field {
    case .id: JSONValue(id)
    case .environment: .string(environment)
    case .type: .string(type)
    case .attempt: JSONValue(attempt)
    }
  }
}

extension String {
  /// The text as a segment of a path or a value of a query.
  package var percentEncoded: String { PercentEncoding.encoded(self) }
}
