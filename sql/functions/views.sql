-- views.sql: what people may read. Views run with the rights of their owner, so a reader needs
-- nothing in writ_data. Auditors see no payload. `create or replace` only appends columns: for any
-- other change, drop the view first.

create or replace view writ.job as
select id, type, environment, queue, priority, state::text as state,
       waiting_reason::text as waiting_reason,
       run_at, attempt, failures, max_attempts, unresolved, cancel_requested, worker_id, subject,
       definition_hash, idempotency_key, traceparent, enqueued_at, enqueued_by, actor, claimed_at,
       deadline_at,
       waiting_since, null::timestamptz as finished_at, last_error, null::jsonb as result, payload,
       claim_order, batch_id
  from writ_data.job
union all
select id, type, environment, queue, priority, state::text, null, run_at, attempt, failures,
       max_attempts,
       unresolved, false, worker_id, subject, definition_hash, idempotency_key, traceparent,
       enqueued_at,
       enqueued_by, actor, claimed_at, deadline_at, null, finished_at, last_error, result, payload,
       null, batch_id
  from writ_data.job_history;
comment on view writ.job is 'Every job, unfinished and finished.';

create or replace view writ.journal as
select job_id, seq, attempt, step, effect, result, status, error_code, intent_at, outcome_at,
       duration_us,
       outputs, action, null::timestamptz as finished_at
  from writ_data.journal
union all
select job_id, seq, attempt, step, effect, result, status, error_code, intent_at, outcome_at,
       duration_us,
       outputs, action, finished_at
  from writ_data.journal_history;
comment on view writ.journal is 'What each step meant to do, and what came back.';

create or replace view writ.job_summary as
select type, environment, queue, state::text as state, waiting_reason::text as waiting_reason,
       count(*) as jobs, min(enqueued_at) as oldest_enqueued_at,
       min(run_at) as oldest_run_at
  from writ_data.job
 group by type, environment, queue, state, waiting_reason;
comment on view writ.job_summary is 'How many unfinished jobs there are, by type and state.';

create or replace view writ.audit_event as
select id, occurred_at, event::text as event, job_id, attempt, type, environment,
       from_state::text as from_state,
       to_state::text as to_state, waiting_reason::text as waiting_reason, step, role_name, actor,
       worker_id,
       encode(subject_digest, 'hex') as subject_digest, outcome, http_status, error_code,
       duration_us,
       definition_hash, recorded
  from writ_data.audit_event;
comment on view writ.audit_event is 'The trail: who moved what, when, from which state to which.';

create or replace view writ.job_type as
select name, description, definition_hash, inputs, subject, max_attempts, concurrency, deadline,
       replay,
       published_at, published_by, targets
  from writ_data.job_type;
comment on view writ.job_type is 'The types that can be ordered now.';

create or replace view writ.definition as
select hash, type, arazzo_path, arazzo, sources, published_at, published_by
  from writ_data.definition;
comment on view writ.definition is 'Every definition that was ever published.';

create or replace view writ.worker as
select id, name, host, pid, version, role_name, started_at, heartbeat_at, lease_expires_at,
       ended_at,
       case when state = 'live' and lease_expires_at <= clock_timestamp() then 'lost'
         else state::text end
         as state, is_idle
  from writ_data.worker;
comment on view writ.worker is 'Processes that take jobs, until a week after their end.';

create or replace view writ.environment as
select name, is_default, created_at from writ_data.environment;
comment on view writ.environment is 'Where jobs take effect.';

grant select on writ.job_type, writ.environment to writ_enqueuer, writ_admin, writ_auditor;
grant select on writ.job, writ.journal to writ_admin;
grant select on
  writ.job_summary, writ.audit_event, writ.definition, writ.worker
to writ_admin, writ_auditor;
