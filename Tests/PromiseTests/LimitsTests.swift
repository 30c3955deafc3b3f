// Limits over whole processes: three workers, one of which is killed, never start or run more than allowed.

import AuthOSEmulator
import Foundation
import Postgres
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct Limits {
    @Test(.timeLimit(.minutes(2)))
    func `three workers, one of them killed, keep a rate and a limit of running jobs`()
      async throws
    {
      let count = 90
      var options = FixtureOptions()
      options.worker = [
        "slots": "8", "lease": "2s", "renewal-interval": "500ms", "lease-margin": "500ms",
        "sweep-interval": "300ms", "database-timeout": "1500ms",
      ]
      options.faults = FaultPlan(rules: [
        FaultRule(
          FaultRoute(.createServiceUser),
          script: Array(repeating: .slow(.milliseconds(100)), count: count * 2))
      ])
      try await WritFixture.with(options) { fixture in
        for arguments in [
          ["limits", "set", "create_user", "--rate", "25/1s", "--concurrency", "4"],
          ["limits", "list", "--json"],
        ] {
          let command = try await fixture.run(arguments, as: .admin)
          #expect(command.ended == .exited(0))
        }
        for number in 0..<count {
          try await fixture.order("writ.create_user(email => 'ada\(number)@acme.test')")
        }
        let victim = try await fixture.startWorker("victim")
        for name in ["second", "third"] { _ = try await fixture.startWorker(name) }
        try await awaiting("the victim to run one", within: .seconds(20), every: .milliseconds(5)) {
          try await fixture.pool.query(
            """
            select count(*) as jobs from writ_data.job as j
              join writ_data.worker as w on w.id = j.worker_id
             where w.name = 'victim' and j.state = 'running'
               -- Just begun, so that it still runs when the victim dies.
               and j.claimed_at > clock_timestamp() - interval '40 ms'
               and (select count(*) from writ_data.job_history) > 10
            """)[0]["jobs"].decode() > 0
        }
        await victim.destroy()
        try await fixture.awaitEveryJob(within: .seconds(60))
        let row = try await fixture.pool.query(
          """
          with event as (
            select occurred_at as at,
                   case when event = 'claimed' then 1 else -1 end as change
              from writ.audit_event
             where type = 'create_user' and job_id is not null
               and (event = 'claimed' or from_state = 'running')
          ), seen as (
            select sum(change) over (order by at, change) as running,
                   count(*) filter (where change = 1) over (
                     order by at range between current row and interval '1 s' following
                   ) as starts
              from event
          )
          select max(running)::int8 as running, max(starts)::int8 as starts,
                 (select count(*) from writ_data.job_history where state = 'completed') as done,
                 (select count(*) from writ_data.audit_event where event = 'lease_expired') as lost
            from seen
          """)[0]
        #expect(try row["done"].decode() == count)
        #expect(try row["lost"].decode(as: Int.self) > 0)
        #expect(try row["running"].decode(as: Int.self) <= 4)
        #expect(try row["running"].decode(as: Int.self) > 1)
        // 25, the burst of 3, and one for the moment between the count and the event.
        #expect(try row["starts"].decode(as: Int.self) <= 29)
      }
    }
  }
}
