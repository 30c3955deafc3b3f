// Where a document uses an expression. Readers note every use; the checker looks at them when the
// whole document is known.

/// What has a value at a place of a workflow.
enum ExpressionScope {
  /// Before a job runs: only its inputs.
  case inputsOnly
  /// Before the request of a step: inputs and what earlier steps gave.
  case request
  /// After the response of a step: also the request and the response.
  case response
  /// After the last step.
  case workflowOutput
}

struct ExpressionUse {
  let expression: RuntimeExpression
  let location: SourceLocation
  let scope: ExpressionScope
  /// The step whose request or response is meant.
  let stepId: String?
  /// The output of that step to which the expression gives a value.
  let output: String?
  /// Whether a missing value is provided for: it is asked for by `== null`, or offered in a list.
  let isOptional: Bool
  /// Whether the value is left out where it is missing, as a member of a body and a parameter outside
  /// of the path are.
  let mayBeLeftOut: Bool
  /// Whether it only takes part in a condition, so that what is inside the value goes nowhere unless the
  /// condition looks into it.
  let isCondition: Bool
  /// The names and indices by which a condition goes on from the value.
  let path: [String]
  /// Whether a condition looks into the value.
  let isWhole: Bool
  /// Whether a secret may go there: the address that a user is sent to.
  let mayBeSecret: Bool

  /// The names and indices that lead from the source to what is used, as far as they are fixed.
  var tokens: [String] { expression.fixedTokens + path }
  /// Whether what is inside counts as used.
  var isUsedWhole: Bool { !isCondition || isWhole }
}

/// Collects the uses in one workflow.
final class ExpressionUses {
  private(set) var all: [ExpressionUse] = []

  func note(
    _ expressions: [RuntimeExpression], at location: SourceLocation, _ scope: ExpressionScope,
    step: String? = nil, output: String? = nil, isOptional: Bool = false,
    mayBeLeftOut: Bool = false, isCondition: Bool = false, path: [String] = [],
    isWhole: Bool = false, mayBeSecret: Bool = false
  ) {
    all += expressions.map {
      ExpressionUse(
        expression: $0, location: location, scope: scope, stepId: step, output: output,
        isOptional: isOptional, mayBeLeftOut: mayBeLeftOut, isCondition: isCondition,
        path: path, isWhole: isWhole, mayBeSecret: mayBeSecret)
    }
  }
}
