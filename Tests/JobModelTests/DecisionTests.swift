// The small decisions: classes of failures, waits, states.

import Arazzo
import JSON
import Testing

@testable import JobModel

@Suite struct `The classification of failures` {
  @Test func `is the table of docs/failures.md, row by row`() throws {
    let rows = try Repository.text("docs/failures.md").split(separator: "\n")
      .drop { $0 != "## The table" }.prefix { $0 != "## Why these" }
      .filter { $0.hasPrefix("| ") && !$0.hasPrefix("| ---") }.dropFirst()
    let documented = rows.map { row in
      row.split(separator: "|").map { $0.filter { $0 != "`" }.trimming() }
    }
    let coded = Classification.all.map { [$0.situation, $0.failureClass.rawValue, $0.code] }
    #expect(documented == coded)
  }

  @Test(arguments: [
    (404, "not_found", FailureClass.refused), (408, "server_timeout", .ambiguous),
    (409, "refused", .refused), (410, "gone", .refused), (425, "too_early", .transient),
    (429, "rate_limited", .limited), (500, "server_error", .ambiguous),
    (503, "unavailable_proxy", .ambiguous),
  ])
  func `is careful with an API that describes no error codes`(
    status: Int, code: String, failureClass: FailureClass
  ) {
    let row = Classification.of(
      status: status, errorCode: nil, hasErrorCodes: false, namesWait: false)
    #expect(row.code == code)
    #expect(row.failureClass == failureClass)
  }

  @Test(arguments: [
    (200, nil, "unexpected_response"), (301, nil, "redirected"),
    (400, "BAD_REQUEST", "bad_request"),
    (401, "UNAUTHORIZED", "unauthorized"), (403, "FORBIDDEN", "forbidden"),
    (404, "NOT_FOUND", "not_found"), (404, nil, "no_such_route"),
    (405, nil, "method_not_allowed"), (408, nil, "server_timeout"), (409, nil, "refused"),
    (413, nil, "too_large"), (415, nil, "wrong_media_type"), (422, nil, "unprocessable"),
    (429, nil, "rate_limited"), (500, "DATABASE_ERROR", "database_error"),
    (500, "INTERNAL_SERVER_ERROR", "internal_error"), (500, nil, "server_error"),
    (502, nil, "bad_gateway"), (503, "SERVICE_UNAVAILABLE", "unavailable"),
    (503, nil, "unavailable_proxy"), (504, nil, "gateway_timeout"), (599, nil, "server_error"),
    (100, nil, "unexpected_response"), (700, nil, "unexpected_response"),
  ])
  func `finds the row of an answer`(status: Int, errorCode: String?, code: String) {
    #expect(
      Classification.of(
        status: status, errorCode: errorCode, hasErrorCodes: true, namesWait: false
      ).code == code)
  }

  @Test func `has a row for every status and every failure of transport`() {
    for status in 100...999 {
      for errorCode in [nil, "NOT_FOUND", "DATABASE_ERROR"] {
        let row = Classification.of(
          status: status, errorCode: errorCode, hasErrorCodes: status.isMultiple(of: 2),
          namesWait: true)
        #expect(Classification.all.contains(row))
      }
    }
    for reason in TransportFailure.NotSent.allCases {
      #expect(Classification.of(.notSent(reason)).code == reason.rawValue)
    }
    for reason: TransportFailure.LoginFailure in [
      .unanswered(.abandoned), .answered(status: 500), .withoutToken, .limited(wait: nil),
    ] {
      #expect(Classification.all.contains(Classification.of(.loginFailed(reason))))
    }
    for reason in TransportFailure.Ambiguous.allCases {
      #expect(Classification.of(.ambiguous(reason)).code == reason.rawValue)
      #expect(Classification.of(.ambiguous(reason)).failureClass == .ambiguous)
    }
  }
}

@Suite struct `The backoff` {
  @Test func `stays between nothing and a bound that doubles up to the cap`() {
    var random = SeededRandom(seed: 7)
    for _ in 0..<500 {
      let base = Duration.milliseconds(Int.random(in: 0...5_000, using: &random))
      let cap = Duration.milliseconds(Int.random(in: 0...500_000, using: &random))
      let backoff = Backoff(base: base, cap: cap)
      var last = Duration.zero
      for failures in [Int.min, 0, 1, 2, 3, 10, 40, 1_000, Int.max] {
        let bound = backoff.bound(failures: failures)
        #expect(bound >= last && bound <= max(base, cap))
        last = bound
        let delay = backoff.delay(failures: failures, random: &random)
        #expect(delay >= .zero && delay <= bound)
      }
      #expect(backoff.bound(failures: 1) == min(base, max(base, cap)))
      #expect(backoff.bound(failures: 3) == min(base * 4, max(base, cap)))
    }
  }

  @Test func `spreads over the whole range`() {
    var random = SeededRandom(seed: 1)
    let backoff = Backoff(base: .seconds(1), cap: .seconds(8))
    let delays = (0..<2_000).map { _ in backoff.delay(failures: 4, random: &random) }
    for eighth in 0..<8 {
      let range = Duration.seconds(eighth)...Duration.seconds(eighth + 1)
      #expect((150...350).contains(delays.count { range.contains($0) }))
    }
  }
}

@Suite struct `Retry-After` {
  private let now = WallTime(secondsSince1970: 784_111_777)  // Sun, 06 Nov 1994 08:49:37 GMT

  @Test(arguments: [
    ("0", 0), ("120", 120), (" 7 ", 7), ("999999999", 86_400),
    ("1000000000000", 86_400), ("99999999999999999999", 86_400),
    ("Sun, 06 Nov 1994 08:49:47 GMT", 10), ("Sunday, 06-Nov-94 08:50:37 GMT", 60),
    ("Sun Nov  6 08:49:38 1994", 1), ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
    ("Tue, 29 Feb 2028 00:00:00 GMT", 86_400),
  ])
  func `is understood in all its forms`(text: String, seconds: Int) {
    #expect(RetryAfter.parse(text, now: now) == .seconds(seconds))
  }

  @Test(arguments: [
    "", "-1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:47 CET",
    "Sun, 06 Nox 1994 08:49:47 GMT", "Sun, 06 Nov 1994 25:49:47 GMT", "06 Nov 1994",
  ])
  func `is nothing in any other form`(text: String) {
    #expect(RetryAfter.parse(text, now: now) == nil)
  }

  @Test func `goes before AuthOS's own header, which is rounded down`() {
    let own = (name: "x-ratelimit-after", value: "3")
    let response = StepResponse(status: 429, headers: [own])
    #expect(RetryAfter.wait(in: response, now: now) == .seconds(4))
    let both = StepResponse(status: 429, headers: [own, (name: "Retry-After", value: "9")])
    #expect(RetryAfter.wait(in: both, now: now) == .seconds(9))
    #expect(RetryAfter.wait(in: StepResponse(status: 429), now: now) == nil)
  }

  @Test func `knows the days of four centuries`() {
    #expect(HTTPDate.daysSince1970(year: 1970, month: 1, day: 1) == 0)
    #expect(HTTPDate.daysSince1970(year: 2000, month: 3, day: 1) == 11_017)
    #expect(HTTPDate.daysSince1970(year: 2100, month: 3, day: 1) == 47_541)
  }
}

@Suite struct `The states of a job` {
  @Test func `allow these moves and no others`() {
    let moves: [JobState: Set<JobState>] = [
      .scheduled: [.available, .discarded, .cancelled],
      .available: [.running, .waiting, .discarded, .cancelled],
      .running: [.completed, .discarded, .cancelled, .retryable, .waiting, .available],
      .retryable: [.available, .discarded, .cancelled],
      .waiting: [.available, .running, .discarded, .cancelled],
      .completed: [.available],
      .discarded: [.available],
      .cancelled: [.available],
    ]
    for from in JobState.allCases {
      for to in JobState.allCases {
        #expect(from.mayBecome(to) == (moves[from]?.contains(to) ?? false), "\(from) to \(to)")
      }
    }
  }

  @Test func `end in history or go on`() {
    for state in JobState.allCases {
      #expect(state.isFinal == (state.nextStates == [.available]))
    }
  }
}

@Suite struct `A record` {
  @Test func `has the members that the database reads`() {
    var recorded = RecordedFields()
    recorded.clear["user_id"] = "u"
    recorded.digested["email"] = "a@example.com"
    let outcome = StepOutcome(
      sequence: 3, step: "remove_old", effect: .delete, result: .succeeded, status: 204,
      duration: .milliseconds(2), outputs: JSONObject([("x", 1)]),
      action: StepAction(.goto(step: "y"), rule: "r"),
      recorded: recorded)
    #expect(
      JobRecord.outcome(outcome).json(job: 1, attempt: 2).serialized()
        == #"{"job":1,"attempt":2,"kind":"outcome","seq":3,"step":"remove_old","effect":"delete","#
        + #""result":"succeeded","status":204,"error_code":null,"duration_us":2000,"outputs":{"x":1},"#
        + #""action":{"do":"goto","step":"y","rule":"r"},"recorded":{"user_id":"u"},"#
        + #""digested":{"email":"a@example.com"}}"#)
    let error = JobError(code: "c", text: "t", step: "s", status: 500)
    #expect(
      JobRecord.retry(delay: .seconds(1), burnsAttempt: true, isUnresolved: false, error)
        .json(job: 1, attempt: 2).serialized()
        == #"{"job":1,"attempt":2,"kind":"retry","delay_us":1000000,"burns":true,"#
        + #""unresolved":false,"error":{"code":"c","text":"t","step":"s","status":500}}"#)
    #expect(
      JobRecord.handBack(isUnresolved: true).json(job: 1, attempt: 2).serialized()
        == #"{"job":1,"attempt":2,"kind":"hand_back","unresolved":true}"#)
  }

  @Test(arguments: [
    StepAction(.next), StepAction(.goto(step: "a"), rule: "r"),
    StepAction(.again, rule: "in_doubt"),
    StepAction(.retry(first: nil)), StepAction(.retry(first: .step("a")), rule: "r"),
    StepAction(
      .retry(
        first: .workflow(
          WorkflowReference(source: "s", workflowId: "w"), inputs: JSONObject([("a", 1)])))),
    StepAction(.gotoWorkflow(WorkflowReference(workflowId: "w"), inputs: JSONObject([("a", "b")]))),
    StepAction(.end(.discard, reason: "why")), StepAction(.end(.completed, reason: nil)),
    StepAction(.stop(.review, reason: "why"), rule: "r"),
  ])
  func `keeps an action that can be read again`(action: StepAction) throws {
    let text = action.json.serialized()
    #expect(StepAction(json: try JSONValue(parsing: text)) == action)
  }
}

extension Substring {
  fileprivate func trimming() -> String {
    var text = self
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}

extension String {
  fileprivate func trimming() -> String { self[...].trimming() }
}
