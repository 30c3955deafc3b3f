// What a test asks of its fixture.

import AuthOSEmulator
import PostgresCluster

/// Everything that tests vary.
struct FixtureOptions: Sendable {
  /// What goes wrong at AuthOS.
  var faults = FaultPlan()
  /// How the emulator behaves.
  var settings = EmulatorSettings(limitsLogins: false)
  /// The people that AuthOS knows at the start.
  var users: [SeedUser] = []
  /// Keys of job types that differ from the ones that the fixture makes up.
  var keys: [String: String] = [:]
  /// How many further keys the service has, newer than those of the job types.
  var otherKeys = 0
  /// The account of the management routes.
  var managementEmail = "writ@acme.test"
  var managementPassword = "correct horse battery staple"
  /// Keys of the configuration below `worker`, in place of the defaults.
  var worker: [String: String] = [:]
  var logLevel = "debug"
  /// Replaces the retry policy of every job type, so that a test with many faults is not spent waiting.
  var retry: String? = nil
  /// A port in front of the emulator that workers are sent to instead.
  var frontPort: Int? = nil
  /// The addresses of other targets than AuthOS.
  var targets: [String: String] = [:]
  /// A cluster of the test's own; without one, the cluster that all tests share.
  var cluster: PrivateCluster? = nil
  /// A script that makes the database of an older version, which is then migrated as it stands.
  var startsFrom: String? = nil

  init() {}
}

/// The login roles of a fixture: each may do what its job needs and nothing else.
enum FixtureRole: String, Sendable, CaseIterable {
  case worker = "promise_worker"
  case enqueuer = "promise_enqueuer"
  case admin = "promise_admin"
  case auditor = "promise_auditor"
  /// A login without any right.
  case stranger = "promise_stranger"
  case superuser = "postgres"

  /// The role that it is a member of.
  var group: String? {
    switch self {
    case .worker: "writ_worker"
    case .enqueuer: "writ_enqueuer"
    case .admin: "writ_admin"
    case .auditor: "writ_auditor"
    case .stranger, .superuser: nil
    }
  }
}
