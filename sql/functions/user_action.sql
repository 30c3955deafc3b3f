-- user_action.sql: jobs that wait until a user has acted elsewhere. Lock order: claim.sql.

-- promote_user_actions: the jobs whose user may have acted by now get a place in the line again, at
-- most $2; how many, their queues, and when the next one is due.
-- Locks: job rows, with skip locked. Index: job_user_action.
create or replace function writ_data.promote_user_actions(
  now timestamptz, max_jobs int, out promoted int, out queues text[], out next_due_at timestamptz
)
language plpgsql
as $$
#variable_conflict use_column
begin
  with held as materialized (
    select j.id
      from writ_data.job as j
     where j.state = 'waiting' and j.waiting_reason = 'user_action' and j.run_at <= $1
     order by j.run_at
     limit $2
       for update skip locked
  ), changed as (
    update writ_data.job as j
       set state = 'available', claim_order = nextval('writ_data.claim_order'),
           waiting_reason = null, waiting_since = null
     where j.id = any (array(select id from held))
    returning j.*
  ), logged as (
    insert into writ_data.audit_event (
      occurred_at, event, job_id, attempt, type, environment, from_state, to_state, waiting_reason,
      role_name, subject_digest
    )
    select $1, 'promoted', c.id, c.attempt, c.type, c.environment, 'waiting', 'available',
           'user_action', session_user, c.subject_digest
      from changed as c
     order by c.run_at, c.id
  )
  select count(*), array_agg(distinct c.queue)
    into promoted, queues
    from changed as c;
  select j.run_at
    into next_due_at
    from writ_data.job as j
   where j.state = 'waiting' and j.waiting_reason = 'user_action'
   order by j.run_at
   limit 1;
end
$$;

-- check_now: the user has acted, says whoever ordered the job: it is looked at now, before the other
-- jobs of its queue, or two seconds after the last look, since each one opens another request at the
-- service. Returns: when. An administrator may say so of any job.
-- Locks: the row of a job that waits; never that of one that runs, for its worker writes about it
-- together with others.
create or replace function writ.check_now(job_id bigint) returns timestamptz
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
  _caller constant text := writ_data.caller();
  _job writ_data.job;
  _at timestamptz;
begin
  select j.*
    into _job
    from writ_data.job as j
   where j.id = $1
     and (j.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member'));
  if found and _job.waiting_reason = 'user_action' then
    select j.*
      into _job
      from writ_data.job as j
     where j.id = $1 and j.state::text = 'waiting' and j.waiting_reason = 'user_action'
       for update;
    if not found then
      -- It goes on at this moment.
      return _now;
    end if;
  elsif _job.id is null then
    perform writ_data.refuse_job(
      'there is no such unfinished job, or another role ordered it',
      'A job is looked at again for the role that ordered it, and for writ_admin.'
    );
  elsif _job.action_url is not null and _job.state in ('available', 'running') then
    return _now;
  elsif _job.waiting_reason is distinct from 'user_action' then
    perform writ_data.refuse_job(
      format('job %s does not wait for a user: it is %s', $1, _job.state),
      'writ.status tells what it waits for.'
    );
  end if;
  _at := greatest(_now, _job.waiting_since + interval '2 seconds');
  if _at > _now then
    update writ_data.job as j set run_at = least(j.run_at, _at) where j.id = $1;
    return least(_job.run_at, _at);
  end if;
  update writ_data.job as j
     set state = 'available', claim_order = -nextval('writ_data.claim_order'),
         waiting_reason = null, waiting_since = null, run_at = _now
   where j.id = $1;
  insert into writ_data.audit_event (
    occurred_at, event, job_id, attempt, type, environment, from_state, to_state, waiting_reason,
    role_name, actor, subject_digest
  )
  values (
    _now, 'promoted', $1, _job.attempt, _job.type, _job.environment, 'waiting', 'available',
    'user_action', _caller, writ_data.actor(), _job.subject_digest
  );
  perform writ_data.wake(_job.queue);
  return _now;
end
$$;

grant execute on function writ.check_now(bigint) to writ_enqueuer, writ_admin;
