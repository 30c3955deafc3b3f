// Which steps can run, and which steps have surely or possibly succeeded before one of them.
//
// A place in a workflow is a step and, during the detour of a `retry`, the step to return to: after the
// step that was put first, the workflow goes back instead of on. The sets are found by walking
// over all places until nothing changes: "surely" is what all ways into a place have in common, "possibly"
// what any of them brings.

struct StepFlow {
  struct Place: Hashable {
    var index: Int
    var returnIndex: Int?

    fileprivate var order: (Int, Int) { (index, returnIndex ?? -1) }
  }

  private struct Move {
    let to: Place
    /// The steps that have outputs then: this one if it succeeded, and what a condition has asked for.
    let done: Set<Int>
  }

  private let workflow: Workflow
  private let moves: [Place: [Move]]
  private let sureBefore: [Place: Set<Int>]
  private let possibleBefore: [Place: Set<Int>]
  /// The places from which an action, or the success of the last step, leads out of the workflow.
  private let exits: Set<Place>
  /// The places from which an action leads to the start of the same workflow, where nothing has been done.
  private let restarts: Set<Place>

  init(_ workflow: Workflow) {
    self.workflow = workflow
    let graph = StepGraph(workflow)
    let indices = Dictionary(
      workflow.steps.enumerated().map { ($0.element.stepId, $0.offset) }, uniquingKeysWith: min)
    let edgesByStep = Dictionary(grouping: graph.edges, by: \.from)
    let edges = workflow.steps.map { edgesByStep[$0.stepId] ?? [] }
    var exits: Set<Place> = []
    var restarts: Set<Place> = []
    func moves(from place: Place) -> [Move] {
      edges[place.index].compactMap { edge -> Move? in
        let isSuccess = edge.cause == .success
        let done = Set(edge.given.compactMap { indices[$0] } + (isSuccess ? [place.index] : []))
        switch edge.to {
        case .step where isSuccess && edge.action == nil && place.returnIndex != nil,
          .end where isSuccess && edge.action == nil && place.returnIndex != nil:
          return place.returnIndex.map {
            Move(to: Place(index: $0, returnIndex: nil), done: done)
          }
        case .step(let name):
          return indices[name].map {
            Move(to: Place(index: $0, returnIndex: nil), done: done)
          }
        case .again(_, _, .step(let name)?):
          return indices[name].map {
            Move(to: Place(index: $0, returnIndex: place.index), done: done)
          }
        case .workflow(WorkflowReference(workflowId: workflow.workflowId)): restarts.insert(place)
        case .end where edge.cause != .inDoubt, .workflow: exits.insert(place)
        case .end, .again, .resend: break
        }
        return nil
      }
    }
    let start = Place(index: 0, returnIndex: nil)
    var all: [Place: [Move]] = [:]
    var surely: [Place: Set<Int>] = [start: []]
    var possibly: [Place: Set<Int>] = [start: []]
    var open = workflow.steps.isEmpty ? [] : [start]
    while let place = open.popLast() {
      let next = all[place] ?? moves(from: place)
      all[place] = next
      for move in next {
        let sure = (surely[place] ?? []).union(move.done)
        let possible = (possibly[place] ?? []).union(move.done)
        let newSure = surely[move.to].map { $0.intersection(sure) } ?? sure
        let newPossible = (possibly[move.to] ?? []).union(possible)
        guard newSure != surely[move.to] || newPossible != possibly[move.to] else { continue }
        surely[move.to] = newSure
        possibly[move.to] = newPossible
        open.append(move.to)
      }
    }
    self.moves = all
    sureBefore = surely
    possibleBefore = possibly
    self.exits = exits
    self.restarts = restarts
  }

  /// Whether a job can get to a step.
  func isReachable(_ index: Int) -> Bool { moves.keys.contains { $0.index == index } }

  /// The steps in which a job goes round for ever once it has come to one of them, one list for each such circle.
  ///
  /// No way leads out of a circle, but by failures that no action is for.
  var endlessCircles: [[Int]] {
    var ending = exits
    var isGrowing = true
    while isGrowing {
      let more = moves.filter { place, moves in
        !ending.contains(place) && next(place, moves).contains { ending.contains($0) }
      }
      ending.formUnion(more.keys)
      isGrowing = !more.isEmpty
    }
    var circles: [[Int]] = []
    for place in moves.keys.sorted(by: { $0.order < $1.order }) where !ending.contains(place) {
      let ahead = places(after: place)
      // What only leads into a circle is no part of it.
      guard ahead.contains(place) else { continue }
      let steps = Set(ahead.map(\.index)).sorted()
      if !circles.contains(where: { !Set($0).isDisjoint(with: steps) }) { circles.append(steps) }
    }
    return circles
  }

  private func places(after place: Place) -> Set<Place> {
    var found: Set<Place> = []
    var open = [place]
    while let place = open.popLast() {
      open += next(place, moves[place] ?? []).filter { found.insert($0).inserted }
    }
    return found
  }

  private func next(_ place: Place, _ moves: [Move]) -> [Place] {
    moves.map(\.to) + (restarts.contains(place) ? [Place(index: 0, returnIndex: nil)] : [])
  }

  /// Whether a step has succeeded on every way to another.
  func surely(_ done: Int, before index: Int) -> Bool {
    sureBefore.allSatisfy { $0.key.index != index || $0.value.contains(done) }
  }

  /// Whether a step can have succeeded on some way to another.
  func possibly(_ done: Int, before index: Int) -> Bool {
    possibleBefore.contains { $0.key.index == index && $0.value.contains(done) }
  }

  /// A shortest way to a step on which another has not succeeded: the steps in their order.
  func way(to index: Int, without avoided: Int) -> [String] {
    var from: [Place: Place?] = [Place(index: 0, returnIndex: nil): nil]
    var open = [Place(index: 0, returnIndex: nil)][...]
    while let place = open.popFirst() {
      if place.index == index { return names(to: place, from) }
      for move in moves[place] ?? []
      where from[move.to] == nil && !move.done.contains(avoided) {
        from[move.to] = .some(place)
        open.append(move.to)
      }
    }
    return []
  }

  private func names(to place: Place, _ from: [Place: Place?]) -> [String] {
    var names: [String] = []
    var current: Place? = place
    while let place = current {
      names.append(workflow.steps[place.index].stepId)
      current = from[place] ?? nil
    }
    return names.reversed()
  }
}
