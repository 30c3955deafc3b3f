// The local operations that need nothing but their input: the machine carries them out itself.

import Arazzo
import JSON

/// Pure operations of `jobs/openapi/writ.yaml`.
enum LocalOperations {
  /// The answer of a pure operation; `nil` for one that the worker has to carry out.
  static func answer(to request: StepRequest) -> StepResponse? {
    guard case .local(let input) = request.target else { return nil }
    switch request.operationID {
    case "findInList": return findInList(input)
    case "firstOfEach": return firstOfEach(input)
    case "nextPage": return nextPage(input)
    default: return nil
    }
  }

  /// The first element of `list` whose members equal all of `where`.
  private static func findInList(_ input: JSONValue) -> StepResponse {
    guard let list = input["list"]?.arrayValue, let wanted = input["where"]?.objectValue,
      !wanted.isEmpty
    else { return refusal(400, "BAD_REQUEST") }
    let found = list.first { element in wanted.allSatisfy { element[$0.name] == $0.value } }
    guard let found else { return refusal(404, "NOT_FOUND") }
    return StepResponse(status: 200, json: ["item": found])
  }

  /// For each member, an array, its first element that is not null.
  private static func firstOfEach(_ input: JSONValue) -> StepResponse {
    guard let members = input.objectValue else { return refusal(400, "BAD_REQUEST") }
    var result = JSONObject()
    for (name, value) in members {
      guard let candidates = value.arrayValue else { return refusal(400, "BAD_REQUEST") }
      result[name] = candidates.first { !$0.isNull } ?? .null
    }
    return StepResponse(status: 200, json: .object(result))
  }

  /// Where the next page begins; 404 after the last one.
  ///
  /// `limit` is how far to go on, which is less than a page where pages have to overlap.
  private static func nextPage(_ input: JSONValue) -> StepResponse {
    guard let limit = input["limit"]?.intValue, (1...1_000_000).contains(limit),
      let offset = input["offset"]?.intValue, (0...1_000_000_000).contains(offset),
      let total = input["total"]?.intValue
    else { return refusal(400, "BAD_REQUEST") }
    let next = offset + limit
    guard next < total else { return refusal(404, "NOT_FOUND") }
    return StepResponse(status: 200, json: ["offset": JSONValue(next)])
  }

  private static func refusal(_ status: Int, _ code: String) -> StepResponse {
    StepResponse(status: status, json: ["error_code": .string(code)])
  }
}
