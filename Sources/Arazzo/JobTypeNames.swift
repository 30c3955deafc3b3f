// The names that no job type can have.

/// The names of job types.
enum JobTypeNames {
  /// The functions that schema `writ` has before any job type is published: a job type is a function
  /// there too, and would stand beside one of these.
  static let taken: Set<String> = [
    "add_schedule", "batch_jobs", "batch_status", "batches", "cancel", "check_many", "check_now",
    "clear_limit", "close_batch", "close_circuit", "create_batch", "create_environment", "digest",
    "enqueue", "enqueue_many", "grant_job_type", "job_rows", "job_workers", "pause_schedule",
    "predecessor",
    "publish_job_type", "remove_schedule", "replay", "replay_plan", "resume_schedule",
    "revoke_job_type", "schedule_obstacles", "set_limit", "status",
  ]
}
