// A second API: a worker dies between delivery and record, and the receiver still acts once.

import Foundation
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct Webhooks {
    private static let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

    @Test(.timeLimit(.minutes(2)))
    func
      `a worker killed between delivery and record delivers again under the same id, to one effect`()
      async throws
    {
      let receiver = try await WebhookReceiver(key: .secret(Self.secret))
      receiver.misbehave([.silenceAfterEffect])
      var options = FixtureOptions()
      options.targets = ["webhook_receiver": receiver.url]
      try await WritFixture.with(options) { fixture in
        try fixture.write("targets.webhook_receiver.signing", Self.secret)
        let victim = try await fixture.startWorker("victim")
        let job = try await fixture.order(
          """
          writ.notify_webhook(event_type => 'user.created', subject => 'ada', data => '{"id": 1}',
            occurred_at => '2026-01-02T03:04:05Z')
          """)
        try await awaiting("the delivery", within: .seconds(20)) { !receiver.effects.isEmpty }
        await victim.destroy()
        _ = try await fixture.startWorker("heir")
        try await fixture.awaitEveryJob(within: .seconds(40), hurries: true)
        #expect(try await fixture.events(of: job).last?.event == "completed")
        let messages = receiver.requests
        #expect(messages.count == 2)
        #expect(Set(messages.map(\.id)).count == 1)
        #expect(messages.allSatisfy { $0.fault == nil })
        #expect(Set(messages.map(\.body)).count == 1)
        #expect(receiver.effects.count == 1)
      }
      try await receiver.stop()
    }
  }
}
