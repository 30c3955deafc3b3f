// What a criterion looks at: to judge whether a secret takes part in a decision, which is on record.

internal import JSON

/// A part of an expression's value that a criterion looks at.
struct CriterionRead: Hashable {
  /// The expression.
  let expression: RuntimeExpression
  /// The names and indices that lead on from its value.
  let path: [String]
  /// Whether what is inside that part takes part too, as where it is compared or searched; otherwise only
  /// whether it is there and holds.
  let isWhole: Bool
}

extension Criterion {
  /// All reads, in the order of the criterion.
  var reads: [CriterionRead] {
    switch kind {
    case .simple(let condition): condition.reads(isWhole: false)
    case .regex, .jsonPath:
      expressions.map { CriterionRead(expression: $0, path: [], isWhole: true) }
    }
  }
}

extension Condition {
  /// The reads, in their order.
  ///
  /// - Parameter isWhole: Whether whoever asks looks into the value.
  func reads(isWhole: Bool) -> [CriterionRead] {
    switch self {
    case .literal: return []
    case .expression, .property, .element: return readsOfPart(isWhole: isWhole)
    case .not(let value): return value.reads(isWhole: false)
    case .and(let left, let right), .or(let left, let right):
      return left.reads(isWhole: false) + right.reads(isWhole: false)
    case .comparison(let left, _, .literal(.null)): return left.reads(isWhole: false)
    case .comparison(.literal(.null), _, let right): return right.reads(isWhole: false)
    case .comparison(let left, _, let right):
      return left.reads(isWhole: true) + right.reads(isWhole: true)
    }
  }

  /// The reads of an expression that `.name` and `[index]` may follow.
  ///
  /// An index that is not fixed may be any: then all that is in the value before it takes part.
  private func readsOfPart(isWhole: Bool) -> [CriterionRead] {
    var base = self
    var path: [String?] = []
    var indices: [CriterionRead] = []
    while true {
      switch base {
      case .property(let value, let name):
        path.append(name)
        base = value
        continue
      case .element(let value, let index):
        path.append(index.fixedToken)
        indices += index.reads(isWhole: true)
        base = value
        continue
      default: break
      }
      break
    }
    path.reverse()
    guard case .expression(let expression) = base else {
      return base.reads(isWhole: true) + indices
    }
    let fixed = path.prefix { $0 != nil }.compactMap { $0 }
    return [
      CriterionRead(
        expression: expression, path: fixed, isWhole: isWhole || fixed.count < path.count)
    ] + indices
  }

  /// The token of a JSON Pointer that says the same as this index; `nil` where it is not fixed.
  private var fixedToken: String? {
    switch self {
    case .literal(.string(let name)): name
    case .literal(.number(let number)): number.intValue.map { String($0) }
    default: nil
    }
  }
}
