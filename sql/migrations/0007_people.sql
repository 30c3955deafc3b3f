-- 0007: what people see and do: status, views, environments, replay, cancel.
-- Views run with the rights of their owner, so a reader needs nothing in writ_data. Auditors see no
-- payload.
set local role writ_owner;

-- Refuses with WR008: no such job for this caller, or a job in the wrong state.
create function writ_data.refuse_job(rule text, hint text) returns void
language plpgsql
as $$
begin
  raise exception using errcode = 'WR008', column = 'job_id', message = rule, hint = hint;
end
$$;

-- status: one row about a job that the caller ordered; administrators and auditors may ask about
-- any.
create function writ.status(job_id bigint)
returns table (
  id bigint, type text, state text, waiting_reason text, attempt int, enqueued_at timestamptz,
  run_at timestamptz, finished_at timestamptz, error_code text, result jsonb
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
           null::timestamptz, j.last_error ->> 'code', null::jsonb
      from writ_data.job as j
     where j.id = $1
       and (
         j.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member')
         or pg_has_role(_caller, 'writ_auditor', 'member')
       )
    union all
    select h.id, h.type, h.state::text, null, h.attempt, h.enqueued_at, h.run_at, h.finished_at,
           case when h.state <> 'completed' then h.last_error ->> 'code' end, h.result
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

create view writ.job as
select id, type, environment, queue, priority, state::text as state,
       waiting_reason::text as waiting_reason,
       run_at, attempt, failures, max_attempts, unresolved, cancel_requested, worker_id, subject,
       definition_hash, idempotency_key, traceparent, enqueued_at, enqueued_by, actor, claimed_at,
       deadline_at,
       waiting_since, null::timestamptz as finished_at, last_error, null::jsonb as result, payload,
       claim_order
  from writ_data.job
union all
select id, type, environment, queue, priority, state::text, null, run_at, attempt, failures,
       max_attempts,
       unresolved, false, worker_id, subject, definition_hash, idempotency_key, traceparent,
       enqueued_at,
       enqueued_by, actor, claimed_at, deadline_at, null, finished_at, last_error, result, payload,
       null
  from writ_data.job_history;
comment on view writ.job is 'Every job, unfinished and finished.';

create view writ.journal as
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

create view writ.job_summary as
select type, environment, queue, state::text as state, waiting_reason::text as waiting_reason,
       count(*) as jobs, min(enqueued_at) as oldest_enqueued_at
  from writ_data.job
 group by type, environment, queue, state, waiting_reason;
comment on view writ.job_summary is 'How many unfinished jobs there are, by type and state.';

create view writ.audit_event as
select id, occurred_at, event::text as event, job_id, attempt, type, environment,
       from_state::text as from_state,
       to_state::text as to_state, waiting_reason::text as waiting_reason, step, role_name, actor,
       worker_id,
       encode(subject_digest, 'hex') as subject_digest, outcome, http_status, error_code,
       duration_us,
       definition_hash, recorded
  from writ_data.audit_event;
comment on view writ.audit_event is 'The trail: who moved what, when, from which state to which.';

create view writ.job_type as
select name, description, definition_hash, inputs, subject, max_attempts, concurrency, deadline,
       replay,
       published_at, published_by
  from writ_data.job_type;
comment on view writ.job_type is 'The types that can be ordered now.';

create view writ.definition as
select hash, type, arazzo_path, arazzo, sources, published_at, published_by
  from writ_data.definition;
comment on view writ.definition is 'Every definition that was ever published.';

create view writ.worker as
select id, name, host, pid, version, role_name, started_at, heartbeat_at, lease_expires_at,
       ended_at,
       case when state = 'live' and lease_expires_at <= clock_timestamp() then 'lost'
         else state::text end
         as state, is_idle
  from writ_data.worker;
comment on view writ.worker is 'Processes that take jobs.';

create view writ.environment as
select name, is_default, created_at from writ_data.environment;
comment on view writ.environment is 'Where jobs take effect.';

-- predecessor: the job that a parked job waits for: who holds its subject's slot, else the oldest
-- unfinished.
create function writ.predecessor(job_id bigint) returns bigint
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
             )
           )
      from writ_data.job as j
     where j.id = $1 and j.state = 'waiting' and j.waiting_reason = 'predecessor'
  );
end
$$;

-- The digest under which the trail keeps a value, for an auditor who knows the value.
create function writ.digest(value text) returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return 'hmac-sha256:' || encode(writ_data.digest(value), 'hex');
end
$$;

-- create_environment: one more place where jobs take effect. Returns false if it was there already.
create function writ.create_environment(name text, is_default boolean default false) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _added boolean;
  _is_changed boolean := false;
begin
  if $1 is null or $1 !~ '^[a-z][a-z0-9_-]{0,62}$' then
    raise exception using
      errcode = 'WR003', column = 'name',
      message = 'create_environment: name must be the name of an environment',
      hint = 'A lower-case letter, then at most 62 lower-case letters, digits, _ or -.';
  end if;
  if $2 then
    update writ_data.environment as e set is_default = false where e.is_default and e.name <> $1;
  end if;
  insert into writ_data.environment as e (name, is_default)
  values ($1, coalesce($2, false))
  on conflict (name) do nothing;
  _added := found;
  if $2 then
    update writ_data.environment as e set is_default = true where e.name = $1 and not e.is_default;
    _is_changed := found;
  end if;
  if _added then
    insert into writ_data.audit_event (occurred_at, event, environment, role_name, actor)
    values (
      clock_timestamp(), 'environment_created', $1, writ_data.caller(),
      nullif(current_setting('writ.actor', true), '')
    );
  end if;
  if _added and $2 or _is_changed then
    insert into writ_data.audit_event (occurred_at, event, environment, role_name, actor)
    values (
      clock_timestamp(), 'default_environment_changed', $1, writ_data.caller(),
      nullif(current_setting('writ.actor', true), '')
    );
  end if;
  return _added;
end
$$;

-- Why a job cannot be replayed, and whether force may do it all the same. `rule` is null when it
-- can be.
create function writ_data.replay_obstacle(
  job_id bigint, out rule text, out hint text, out is_forcible boolean
)
language plpgsql stable
as $$
#variable_conflict use_column
declare
  _job record;
  _policy text;
  _newer bigint;
begin
  is_forcible := false;
  select j.id, j.type, j.environment, j.subject, j.state::text as state,
         j.waiting_reason::text as reason
    into _job
    from writ_data.job as j
   where j.id = $1;
  if not found then
    select h.id, h.type, h.environment, h.subject, h.state::text as state, null as reason
      into _job
      from writ_data.job_history as h
     where h.id = $1;
    if not found then
      rule := 'there is no such job';
      hint := 'The view writ.job lists the jobs.';
      return;
    end if;
  elsif _job.reason is distinct from 'review' then
    rule := format('job %s is %s, and only a job that has finished or waits for review is replayed',
    $1, _job.state);
    hint := case _job.state
      when 'retryable' then 'It runs again by itself.'
      when 'running' then 'Wait until it ends.'
      else 'It has not run yet.'
    end;
    return;
  end if;
  select coalesce(
           (select t.replay from writ_data.job_type as t where t.name = _job.type),
           'review'
         )
    into _policy;
  if _policy = 'never' then
    rule := format('job %s must not be replayed: its type %s says never', $1, _job.type);
    hint := 'Order a new job instead.';
    return;
  end if;
  if _job.subject is not null then
    select h.id
      into _newer
      from writ_data.job_history as h
     where h.environment = _job.environment and h.subject = _job.subject and h.id > $1
       and h.state = 'completed'
     order by h.id desc
     limit 1;
    if _newer is not null then
      rule := format('job %s must not be replayed: job %s about the same subject completed after it', $1, _newer);
      hint := 'Replaying it would undo the newer one; force does it all the same.';
      is_forcible := true;
      return;
    end if;
  end if;
  if _job.state = 'completed' and _policy <> 'safe' then
    rule := format('job %s has completed, and its type %s does not say that running it twice is safe', $1, _job.type);
    hint := 'Look at what it did; force runs it again from the start.';
    is_forcible := true;
  end if;
end
$$;

-- replay_plan: what writ.replay would do, without doing it: one row a fact, in order.
create function writ.replay_plan(job_id bigint)
returns table (place int, fact text, detail text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _obstacle record := writ_data.replay_obstacle($1);
  _job record;
  _step record;
begin
  place := 0;
  select j.* into _job from writ.job as j where j.id = $1 order by j.finished_at desc nulls first
         limit 1;
  if found then
    place := place + 1;
    fact := 'job';
    detail := format(
      '%s %s is %s after %s attempts%s', _job.type, $1,
      _job.state || coalesce(' for ' || _job.waiting_reason, ''), _job.attempt,
      coalesce(', last error ' || (_job.last_error ->> 'code'), '')
    );
    return next;
  end if;
  if _obstacle.rule is not null then
    place := place + 1;
    fact := case when _obstacle.is_forcible then 'refused unless forced' else 'refused' end;
    detail := _obstacle.rule || '. ' || _obstacle.hint;
    return next;
    if not _obstacle.is_forcible then
      return;
    end if;
  end if;
  if _job.state = 'completed' then
    place := place + 1;
    fact := 'starts anew';
    detail := 'every step runs again; the journal of the completed run stays in the history';
    return next;
    return;
  end if;
  for _step in
    select n.* from writ.journal as n
     where n.job_id = $1 and n.finished_at is not distinct from _job.finished_at
     order by n.seq
  loop
    place := place + 1;
    fact := case
      when _step.result is null then 'in doubt'
      when _step.result = 'succeeded' then 'done'
      when _step.result = 'ambiguous' then 'in doubt'
      else 'tries again'
    end;
    detail := format('step %s (%s)%s', _step.step, _step.effect,
    coalesce(', status ' || _step.status, ''));
    return next;
  end loop;
  place := place + 1;
  fact := 'becomes available';
  detail := format('with no failures counted of %s, before the other jobs of its queue',
  _job.max_attempts);
  return next;
end
$$;

-- replay: bring a finished job, or one that waits for review, back with its journal, on behalf of
-- the caller.
-- A completed job starts anew, with an empty journal.
create function writ.replay(job_id bigint, force boolean default false) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
  _obstacle record;
  _old writ_data.job_history;
  _from writ_data.job_state;
  _job writ_data.job;
begin
  perform from writ_data.job as j where j.id = $1 for update;
  if not found then
    perform from writ_data.job_history as h where h.id = $1 for update;
  end if;
  _obstacle := writ_data.replay_obstacle($1);
  if _obstacle.rule is not null and not (_obstacle.is_forcible and coalesce($2, false)) then
    perform writ_data.refuse_job(_obstacle.rule, _obstacle.hint);
  end if;

  update writ_data.job as j
     set state = 'available', waiting_reason = null, waiting_since = null, failures = 0,
         cancel_requested = false, claim_order = -nextval('writ_data.claim_order'),
         deadline_at = _now + (j.deadline_at - j.enqueued_at)
   where j.id = $1
  returning j.* into _job;
  if found then
    _from := 'waiting';
  else
    delete from writ_data.job_history as h where h.id = $1 returning h.* into strict _old;
    _from := _old.state;
    insert into writ_data.job as j (
      id, claim_order, run_at, enqueued_at, deadline_at, attempt, max_attempts, state, priority,
      unresolved,
      type, environment, queue, definition_hash, subject, subject_digest, enqueued_by, actor,
      idempotency_key, traceparent, payload, last_error
    )
    values (
      _old.id, -nextval('writ_data.claim_order'), _now, _old.enqueued_at,
      _now + (_old.deadline_at - _old.enqueued_at), _old.attempt, _old.max_attempts, 'available',
      _old.priority, _old.unresolved, _old.type, _old.environment, _old.queue, _old.definition_hash,
      _old.subject, _old.subject_digest, _old.enqueued_by, _old.actor, _old.idempotency_key,
      _old.traceparent, _old.payload, _old.last_error
    )
    returning j.* into _job;
    if _from <> 'completed' then
      with moved as (
        delete from writ_data.journal_history as n
         where n.job_id = $1 and n.finished_at = _old.finished_at
        returning n.*
      )
      insert into writ_data.journal (
        job_id, intent_at, outcome_at, duration_us, seq, attempt, status, step, effect, result,
        error_code,
        outputs, action
      )
      select job_id, intent_at, outcome_at, duration_us, seq, attempt, status, step, effect, result,
             error_code, outputs, action
        from moved;
    end if;
  end if;
  insert into writ_data.audit_event (
    occurred_at, event, job_id, attempt, type, environment, from_state, to_state, role_name, actor,
    definition_hash, subject_digest, recorded
  )
  values (
    _now, 'replayed', $1, _job.attempt, _job.type, _job.environment, _from, 'available',
    writ_data.caller(), nullif(current_setting('writ.actor', true), ''), _job.definition_hash,
    _job.subject_digest, jsonb_build_object('forced', _obstacle.rule is not null)
  );
  perform writ_data.wake(_job.queue);
end
$$;

-- cancel: call a job off, on behalf of the caller. Returns its state: `cancelled`, or `running`
-- when its worker has been told and will stop it before its next change, if it has made none.
-- A job that has changed something, or may have, is refused: half a change would stay. Force
-- cancels it.
create function writ.cancel(job_id bigint, force boolean default false) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
  _caller constant text := writ_data.caller();
  _actor constant text := nullif(current_setting('writ.actor', true), '');
  _job writ_data.job;
  _changed boolean;
begin
  select j.* into _job from writ_data.job as j where j.id = $1 for update;
  if not found then
    perform writ_data.refuse_job(
      case
        when exists (select from writ_data.job_history as h where h.id = $1)
        then format('job %s has finished already', $1)
        else 'there is no such job'
      end,
      'Only an unfinished job can be cancelled.'
    );
  end if;
  if _job.state = 'running' then
    if not _job.cancel_requested then
      update writ_data.job as j set cancel_requested = true where j.id = $1;
      insert into writ_data.audit_event (
        occurred_at, event, job_id, worker_id, attempt, type, environment, role_name, actor,
        subject_digest
      )
      values (
        _now, 'cancel_requested', $1, _job.worker_id, _job.attempt, _job.type, _job.environment,
        _caller,
        _actor, _job.subject_digest
      );
    end if;
    return 'running';
  end if;
  select _job.unresolved or exists (
           select
             from writ_data.journal as n
            where n.job_id = $1 and n.effect <> 'none' and n.result is distinct from 'failed'
         )
    into _changed;
  if _changed and not coalesce($2, false) then
    perform writ_data.refuse_job(
      format('job %s has changed something, or may have, so it cannot simply be cancelled', $1),
      'Replay it to let it finish; force cancels it and leaves what it did.'
    );
  end if;

  with gone as (
    delete from writ_data.job as j where j.id = $1 returning j.*
  ), freed as (
    delete from writ_data.subject_slot as s
     where s.environment = _job.environment and s.subject = _job.subject and s.job_id = $1
  ), moved as (
    delete from writ_data.journal as n where n.job_id = $1 returning n.*
  ), kept as (
    insert into writ_data.journal_history (
      job_id, intent_at, outcome_at, finished_at, duration_us, seq, attempt, status, step, effect,
      result,
      error_code, outputs, action
    )
    select job_id, intent_at, outcome_at, _now, duration_us, seq, attempt, status, step, effect,
           result,
           error_code, outputs, action
      from moved
  ), logged as (
    insert into writ_data.audit_event (
      occurred_at, event, job_id, attempt, type, environment, from_state, to_state, waiting_reason,
      role_name, actor, definition_hash, subject_digest, recorded
    )
    select _now, 'cancelled', id, attempt, type, environment, state, 'cancelled', waiting_reason,
           _caller,
           _actor, definition_hash, subject_digest, jsonb_build_object('forced', _changed)
      from gone
  )
  insert into writ_data.job_history (
    id, run_at, enqueued_at, deadline_at, claimed_at, finished_at, worker_id, attempt, failures,
    max_attempts,
    state, priority, unresolved, type, environment, queue, definition_hash, subject, subject_digest,
    enqueued_by, actor, idempotency_key, traceparent, payload, last_error
  )
  select id, run_at, enqueued_at, deadline_at, claimed_at, _now, worker_id, attempt, failures,
         max_attempts,
         'cancelled', priority, unresolved, type, environment, queue, definition_hash, subject,
         subject_digest, enqueued_by, actor, idempotency_key, traceparent, payload, last_error
    from gone;
  if _job.subject is not null then
    perform writ_data.unpark_subjects(array[_job.environment], array[_job.subject], _now);
  end if;
  return 'cancelled';
end
$$;

grant execute on function writ.status(bigint) to writ_enqueuer, writ_admin, writ_auditor;
grant execute on function
  writ.create_environment(text, boolean), writ.replay(bigint, boolean), writ.replay_plan(bigint),
  writ.cancel(bigint, boolean)
to writ_admin;
grant execute on function writ.digest(text), writ.predecessor(bigint) to writ_admin, writ_auditor;
grant select on writ.job_type, writ.environment to writ_enqueuer, writ_admin, writ_auditor;
grant select on writ.job, writ.journal to writ_admin;
grant select on
  writ.job_summary, writ.audit_event, writ.definition, writ.worker
to writ_admin, writ_auditor;

-- A worker reads the definitions of its jobs and nothing else.
create function writ_worker.definition(hash text)
returns table (type text, arazzo_path text, arazzo text, sources jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select d.type, d.arazzo_path, d.arazzo, d.sources from writ_data.definition as d
           where d.hash = $1;
end
$$;

-- The hash of the definition under which a type is ordered now; null for a type that nobody
-- published.
create function writ_worker.definition_hash(type text) returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select t.definition_hash from writ_data.job_type as t where t.name = $1);
end
$$;
grant execute on all functions in schema writ_worker to writ_worker;

-- The partitions of this month and the next; from here on the sweeper makes them.
do $$
begin
  perform writ_data.add_partitions(clock_timestamp());
  perform writ_data.add_partitions(clock_timestamp() + interval '1 month');
end
$$;
