-- schedules: by name and environment.
select name, type, environment, queue, priority, cron, time_zone, missed, is_published, is_paused,
       next_fire_at, last_fire_at, last_job_id, last_job_state, last_error
  from writ.schedule
 order by name, environment
