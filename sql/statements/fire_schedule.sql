-- fire_schedule: fire the schedule that is due longest; a transaction of its own.
-- Returns: its name and what came of it; no row when none is due.
select schedule, outcome, job_id from writ_worker.fire_schedule()
