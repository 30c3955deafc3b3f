// A row of a job: one element of a list in an answer, as far as the definition lists its fields.

import Arazzo
public import JSON

/// One row of a job.
public struct JobRow: Sendable, Hashable {
  /// What tells it from the other rows of the job.
  public var key: String
  /// The fields that the definition lists; a member that the element lacks is null.
  public var fields: JSONObject

  /// The most characters of a key.
  public static let longestKey = 500

  /// A row.
  public init(key: String, fields: JSONObject) {
    self.key = key
    self.fields = fields
  }

  /// The rows of an answer.
  ///
  /// - Returns: `nil` where the answer holds no such list, or an element that nothing tells from the others.
  static func rows(by policy: RowsPolicy, in context: EvaluationContext) -> [JobRow]? {
    let elements: [JSONValue]
    switch policy.list.evaluate(in: context) {
    case .array(let array)?: elements = array
    case .object(let object)?: elements = [.object(object)]
    default: return nil
    }
    var rows: [JobRow] = []
    for element in elements {
      guard let key = element.value(at: policy.key).flatMap(key(of:)) else { return nil }
      let fields = policy.fields.map { ($0.name, element.value(at: $0.pointer) ?? .null) }
      rows.append(JobRow(key: key, fields: JSONObject(fields)))
    }
    return rows
  }

  private static func key(of value: JSONValue) -> String? {
    let text: String
    switch value {
    case .string(let string): text = string
    case .number: text = value.serialized()
    default: return nil
    }
    return (1...longestKey).contains(text.unicodeScalars.count) ? text : nil
  }
}
