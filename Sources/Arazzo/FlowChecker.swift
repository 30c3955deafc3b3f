// What an author cannot see by reading one step: steps that nothing leads to, steps that nothing leads out
// of, and values that are used on a way on which nobody has given them.

struct FlowChecker {
  let workflow: Workflow
  let errors: ErrorCollector
  private let flow: StepFlow

  init(workflow: Workflow, errors: ErrorCollector) {
    self.workflow = workflow
    self.errors = errors
    flow = StepFlow(workflow)
  }

  func check(_ uses: [ExpressionUse]) {
    for (index, step) in workflow.steps.enumerated() where !flow.isReachable(index) {
      let before = workflow.steps[max(0, index - 1)].stepId
      errors.report(
        "no job can get to the step '\(step.stepId)': the step before it, '\(before)', always goes "
          + "elsewhere or ends, and nothing else leads here; lead to it by an action of type goto or "
          + "by inDoubt, or remove it", at: step.location)
    }
    for circle in flow.endlessCircles { reportEndless(circle) }
    for use in uses { check(use) }
    for (index, step) in workflow.steps.enumerated() where flow.isReachable(index) {
      checkDependencies(of: step, index)
      checkCredential(of: step, index)
    }
  }

  private func reportEndless(_ circle: [Int]) {
    let steps = circle.map { workflow.steps[$0] }
    let names = steps.map(\.stepId).joined(separator: ", ")
    errors.report(
      (steps.count == 1
        ? "the step '\(names)' always leads to itself"
        : "the steps \(names) lead only to each other")
        + ", so that a job that comes here goes round for ever; let a way lead out: a success action of "
        + "type end or goto, or criteria that let the next step follow", at: steps[0].location)
  }

  private func check(_ use: ExpressionUse) {
    guard case .step(let name, _) = use.expression.source,
      use.scope == .request || use.scope == .response, let current = use.stepId,
      let own = workflow.index(ofStep: current), let other = workflow.index(ofStep: name),
      flow.isReachable(own), flow.isReachable(other)
    else { return }
    if use.isOptional {
      guard !flow.possibly(other, before: own) else { return }
      errors.report(
        "\(use.expression): the step '\(name)' can never have run when this is needed",
        at: use.location)
      return
    }
    guard !flow.surely(other, before: own) else { return }
    // A value that one round of a loop hands to the next: it cannot be there in the first.
    if use.mayBeLeftOut, flow.possibly(other, before: own),
      other == own || flow.surely(own, before: other)
    {
      return
    }
    guard other != own else {
      let hint =
        use.scope == .response ? "; take the value from $response or $request instead" : ""
      return errors.report(
        "\(use.expression): the step refers to its own output, which it gives only when it is done"
          + hint, at: use.location)
    }
    errors.report(
      "\(use.expression): the step '\(name)' has not succeeded on the way \(way(own, without: other)); "
        + "\(remedy(for: use))", at: use.location)
  }

  private func remedy(for use: ExpressionUse) -> String {
    use.scope == .response
      ? "lead this way through it, or ask first whether the value is null"
      : "lead this way through it, or offer a list of values, in which what is missing is null"
  }

  private func way(_ index: Int, without other: Int) -> String {
    let names = flow.way(to: index, without: other)
    return names.count > 1 ? names.joined(separator: " → ") : "from the start"
  }

  private func checkDependencies(of step: Step, _ index: Int) {
    for name in step.dependsOn {
      guard let other = workflow.index(ofStep: name), !flow.surely(other, before: index) else {
        continue
      }
      errors.report(
        other == index
          ? "the step depends on itself; remove '\(name)' from dependsOn"
          : "the step depends on '\(name)', which has not succeeded on the way "
            + "\(way(index, without: other)); put it before, or lead this way through it",
        at: step.location)
    }
  }

  private func checkCredential(of step: Step, _ index: Int) {
    guard case .secretOf(let name, _)? = step.policy.credential,
      let other = workflow.index(ofStep: name), !flow.surely(other, before: index)
    else { return }
    errors.report(
      "x-writ.credential.secretOf: the step '\(name)' has not succeeded on the way "
        + "\(way(index, without: other)), so that there is no secret yet; lead this way through it",
      at: step.location)
  }
}
