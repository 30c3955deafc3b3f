-- audit_events: in order, at most $6, after event $1, of job $2, type $3, event $4, since $5; null:
-- any.
select id, occurred_at, event, job_id, attempt, type, environment, from_state, to_state,
       waiting_reason, step,
       role_name, actor, worker_id, subject_digest, outcome, http_status, error_code, duration_us,
       definition_hash, recorded
  from writ.audit_event
 where ($1::bigint is null or id > $1)
   and ($2::bigint is null or job_id = $2)
   and ($3::text is null or type = $3)
   and ($4::text is null or event = $4)
   and ($5::timestamptz is null or occurred_at >= $5)
 order by id
 limit $6
