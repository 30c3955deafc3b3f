-- recent_audit_events: the last $5 events of job $1, type $2, event $3, since $4, in order; null:
-- any.
select *
  from (
    select id, occurred_at, event, job_id, attempt, type, environment, from_state, to_state,
           waiting_reason,
           step, role_name, actor, worker_id, subject_digest, outcome, http_status, error_code,
           duration_us, definition_hash, recorded
      from writ.audit_event
     where ($1::bigint is null or job_id = $1)
       and ($2::text is null or type = $2)
       and ($3::text is null or event = $3)
       and ($4::timestamptz is null or occurred_at >= $4)
     order by id desc
     limit $5
  ) as newest
 order by id
