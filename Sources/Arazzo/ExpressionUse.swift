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
}

/// Collects the uses in one workflow.
final class ExpressionUses {
  private(set) var all: [ExpressionUse] = []

  func note(
    _ expressions: [RuntimeExpression], at location: SourceLocation, _ scope: ExpressionScope,
    step: String? = nil, output: String? = nil
  ) {
    all += expressions.map {
      ExpressionUse(
        expression: $0, location: location, scope: scope, stepId: step, output: output)
    }
  }
}
