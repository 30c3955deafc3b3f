-- status.sql: what a caller may ask about a job and its value.

-- Refuses with WR008: no such job for this caller, or a job in the wrong state.
create or replace function writ_data.refuse_job(rule text, hint text) returns void
language plpgsql
as $$
begin
  raise exception using errcode = 'WR008', column = 'job_id', message = rule, hint = hint;
end
$$;

-- status: one row about a job that the caller ordered; administrators and auditors may ask about
-- any. The address to which a user has to go is shown to whoever ordered the job and to
-- administrators: whoever knows it can use it.
drop function if exists writ.status(bigint);
create function writ.status(job_id bigint)
returns table (
  id bigint, type text, state text, waiting_reason text, attempt int, enqueued_at timestamptz,
  run_at timestamptz, finished_at timestamptz, error_code text, result jsonb,
  action_url text, action_deadline_at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _caller constant text := writ_data.caller();
begin
  return query
    select j.id, j.type, j.state::text, j.waiting_reason::text, j.attempt::int, j.enqueued_at,
           j.run_at,
           null::timestamptz, j.last_error ->> 'code', null::jsonb,
           case
             when j.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member')
             then j.action_url
           end,
           j.action_deadline_at
      from writ_data.job as j
     where j.id = $1
       and (
         j.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member')
         or pg_has_role(_caller, 'writ_auditor', 'member')
       )
    union all
    select h.id, h.type, h.state::text, null, h.attempt, h.enqueued_at, h.run_at, h.finished_at,
           case when h.state <> 'completed' then h.last_error ->> 'code' end, h.result, null, null
      from writ_data.job_history as h
     where h.id = $1
       and (
         h.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member')
         or pg_has_role(_caller, 'writ_auditor', 'member')
       );
  if not found then
    perform writ_data.refuse_job(
      'there is no such job, or another role ordered it',
      'A job is shown to the role that ordered it, to writ_admin and to writ_auditor.'
    );
  end if;
end
$$;

-- job_workers: how many live workers could take a job that is not over: they serve its environment. A
-- worker that has not told yet what it serves, or cannot, counts. Says nothing about queues and free
-- slots. No row: the job is over, or it is none of the caller's.
create or replace function writ.job_workers(job_id bigint)
returns table (environment text, queue text, workers int)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _caller constant text := writ_data.caller();
begin
  return query
    select j.environment, j.queue,
           (
             select count(*)::int
               from writ_data.worker as w
              where w.state = 'live' and w.lease_expires_at > clock_timestamp()
                and (w.environments is null or j.environment = any (w.environments))
           )
      from writ_data.job as j
     where j.id = $1
       and (
         j.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member')
         or pg_has_role(_caller, 'writ_auditor', 'member')
       );
end
$$;

-- predecessor: the job that a parked job waits for: who holds its subject's slot, else the oldest
-- unfinished.
create or replace function writ.predecessor(job_id bigint) returns bigint
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return (
    select coalesce(
             (
               select s.job_id
                 from writ_data.subject_slot as s
                where s.environment = j.environment and s.subject = j.subject and s.job_id <> j.id
             ),
             (
               select min(earlier.id)
                 from writ_data.job as earlier
                where earlier.environment = j.environment and earlier.subject = j.subject
                  and earlier.id < j.id and earlier.state <> 'scheduled'
                  and earlier.waiting_reason is distinct from 'batch'
             )
           )
      from writ_data.job as j
     where j.id = $1 and j.state = 'waiting' and j.waiting_reason = 'predecessor'
  );
end
$$;

-- The digest under which the trail keeps a value, for an auditor who knows the value.
create or replace function writ.digest(value text) returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return 'hmac-sha256:' || encode(writ_data.digest(value), 'hex');
end
$$;

grant execute on function writ.status(bigint), writ.job_workers(bigint)
to writ_enqueuer, writ_admin, writ_auditor;
grant execute on function writ.digest(text), writ.predecessor(bigint) to writ_admin, writ_auditor;
