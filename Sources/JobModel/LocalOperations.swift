// The local operations that need nothing but their input: the machine carries them out itself.

import Arazzo
import JSON

/// Pure operations of `jobs/openapi/writ.yaml`.
enum LocalOperations {
  /// The answer of a pure operation; `nil` for one that the worker has to carry out.
  ///
  /// - Parameter lostRequestPause: After how long a request whose answer was lost can no longer act.
  static func answer(to request: StepRequest, lostRequestPause: Duration) -> StepResponse? {
    guard case .local(let input) = request.target else { return nil }
    switch request.operationID {
    case "findInList": return findInList(input)
    case "firstOfEach": return firstOfEach(input)
    case "nextPage": return nextPage(input)
    case "outlastRequest": return outlastRequest(lostRequestPause)
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

  /// Where the next page of a list begins, after one at `offset` that held `count` elements.
  ///
  /// Pages overlap by `overlap` elements, so that elements which disappear while a reader pages through do not
  /// push others out of his sight. A page that is not full ends the list once `total` is reached; `total`
  /// alone ends nothing, since it is counted apart from the page, unless the count is left out. Every page
  /// moves on by at least one element, and an empty one ends the list: nothing goes round in circles.
  private static func nextPage(_ input: JSONValue) -> StepResponse {
    func number(_ name: String) -> Int? {
      guard let value = input[name], !value.isNull else { return 0 }
      return value.intValue.flatMap { (0...1_000_000_000).contains($0) ? $0 : nil }
    }
    guard let offset = number("offset"), let total = number("total"),
      let limit = number("limit"), let overlap = number("overlap"), limit > 0
    else { return refusal(400, "BAD_REQUEST") }
    var isLast = offset + limit >= total
    var held = limit
    if input["count"] != nil {
      guard let count = number("count") else { return refusal(400, "BAD_REQUEST") }
      held = count
      isLast = count == 0 || (count < limit && offset + count >= total)
    }
    return StepResponse(
      status: 200,
      json: [
        "offset": JSONValue(offset + max(1, held - overlap)), "is_last": .bool(isLast),
      ])
  }

  /// What a job waits for that outlasts a request; its reason is what a person sees meanwhile.
  ///
  /// Its `Retry-After` goes before the `retryAfter` of the workflow, as that of any service does (Arazzo 1.0.1,
  /// Failure Action Object). How long a service works on a request is a matter of the installation.
  private static func outlastRequest(_ pause: Duration) -> StepResponse {
    var response = StepResponse(
      status: 409,
      json: [
        "error_code": "MAY_STILL_ACT",
        "reason": "the answer to a request was lost, and the job waits until it can no longer act",
      ])
    response.headers.append(("retry-after", "\(RetryAfter.seconds(notLessThan: pause))"))
    return response
  }

  private static func refusal(_ status: Int, _ code: String) -> StepResponse {
    StepResponse(status: status, json: ["error_code": .string(code)])
  }
}
