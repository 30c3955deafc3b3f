// The statements of sql/statements, by the name of their file.

import Postgres

extension Statement {
  static let register = stored("register")
  static let renew = stored("renew")
  static let setIdle = stored("set_idle")
  static let deregister = stored("deregister")
  static let claim = stored("claim")
  static let record = stored("record")
  static let sweep = stored("sweep")
  static let definition = stored("definition")
  static let definitionHash = stored("definition_hash")
  static let reportKeys = stored("report_keys")
  static let workersWithoutKey = stored("workers_without_key")
  static let installation = stored("installation")
  static let keyRotations = stored("key_rotations")
  static let workerKeys = stored("worker_keys")
  static let publish = stored("publish")
  static let enqueue = stored("enqueue")
  static let jobTypes = stored("job_types")
  static let environments = stored("environments")
  static let createEnvironment = stored("create_environment")
  static let limits = stored("limits")
  static let setLimit = stored("set_limit")
  static let clearLimit = stored("clear_limit")
  static let grantJobType = stored("grant_job_type")
  static let revokeJobType = stored("revoke_job_type")
  static let jobs = stored("jobs")
  static let job = stored("job")
  static let journal = stored("journal")
  static let auditEvents = stored("audit_events")
  static let recentAuditEvents = stored("recent_audit_events")
  static let counts = stored("counts")
  static let workers = stored("workers")
  static let replay = stored("replay")
  static let replayPlan = stored("replay_plan")
  static let cancel = stored("cancel")
  static let status = stored("status")
  static let migrations = stored("migrations")
  static let fireSchedule = stored("fire_schedule")
  static let schedules = stored("schedules")
  static let addSchedule = stored("add_schedule")
  static let removeSchedule = stored("remove_schedule")
  static let pauseSchedule = stored("pause_schedule")
  static let resumeSchedule = stored("resume_schedule")
  static let scheduleObstacles = stored("schedule_obstacles")
  static let functions = stored("functions")
  static let noteFunctions = stored("note_functions")

  /// The file goes to the server as it is, header and all: a reader of the server's log finds it again.
  private static func stored(_ name: String) -> Statement {
    guard let sql = EmbeddedFiles.contents["sql/statements/\(name).sql"] else {
      preconditionFailure("sql/statements/\(name).sql was not embedded in this build")
    }
    return Statement(name: "writ_\(name)", sql: sql)
  }
}
