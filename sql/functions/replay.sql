-- replay.sql: bringing jobs back, and calling them off.

-- Why a job cannot be replayed, and whether force may do it all the same. `rule` is null when it
-- can be.
create or replace function writ_data.replay_obstacle(
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
  end if;
  if exists (
    select from writ_data.batch as b where b.callback_job_id = $1 and b.finished_at is null
  )
  then
    rule := format('job %s must not be replayed: it is the callback of a batch that is not finished', $1);
    hint := 'Wait until the batch is finished; writ batches show tells what it waits for.';
    return;
  end if;
  if _job.reason is distinct from 'review' and _job.state not in ('completed', 'discarded', 'cancelled') then
    rule := format('job %s is %s, and only a job that has finished or waits for review is replayed',
    $1, _job.state);
    hint := case _job.state
      when 'retryable' then 'It runs again by itself.'
      when 'running' then 'Wait until it ends.'
      when 'waiting' then 'It goes on by itself when what it waits for has happened.'
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
    else
      -- Who holds the slot has begun, and would come to its end first.
      select s.job_id
        into _newer
        from writ_data.subject_slot as s
       where s.environment = _job.environment and s.subject = _job.subject and s.job_id > $1;
      if _newer is not null then
        rule := format('job %s must not be replayed: job %s about the same subject has begun after it', $1, _newer);
      end if;
    end if;
    if _newer is not null then
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
create or replace function writ.replay_plan(job_id bigint)
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
      '%s %s is %s after %s%s', _job.type, $1,
      _job.state || coalesce(' for ' || _job.waiting_reason, ''),
      writ_data.counted(_job.attempt, 'attempt'),
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
create or replace function writ.replay(job_id bigint, force boolean default false) returns void
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
    perform writ_data.forget_rows($1);
    insert into writ_data.job as j (
      id, claim_order, run_at, enqueued_at, deadline_at, attempt, max_attempts, state, priority,
      unresolved,
      type, environment, queue, definition_hash, subject, subject_digest, enqueued_by, actor,
      idempotency_key, traceparent, payload, last_error, batch_id
    )
    values (
      _old.id, -nextval('writ_data.claim_order'), _now, _old.enqueued_at,
      _now + (_old.deadline_at - _old.enqueued_at), _old.attempt, _old.max_attempts, 'available',
      _old.priority, _old.unresolved, _old.type, _old.environment, _old.queue, _old.definition_hash,
      _old.subject, _old.subject_digest, _old.enqueued_by, _old.actor, _old.idempotency_key,
      _old.traceparent, _old.payload, _old.last_error, _old.batch_id
    )
    returning j.* into _job;
    -- It holds its batch open again, unless that is finished: a callback runs once.
    if _old.batch_id is not null then
      update writ_data.batch as b
         set first_unfinished = least(b.first_unfinished, $1)
       where b.id = _old.batch_id and b.finished_at is null;
    end if;
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
    writ_data.caller(), writ_data.actor(), _job.definition_hash,
    _job.subject_digest, jsonb_build_object('forced', _obstacle.rule is not null)
  );
  perform writ_data.wake(_job.queue);
end
$$;

-- cancel: call a job off, on behalf of the caller. Returns its state: `cancelled`, or `running`
-- when its worker has been told and will stop it before its next change, if it has made none.
-- A job that has changed something, or may have, is refused: half a change would stay. Force
-- cancels it.
create or replace function writ.cancel(job_id bigint, force boolean default false) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
  _caller constant text := writ_data.caller();
  _actor constant text := writ_data.actor();
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
    enqueued_by, actor, idempotency_key, traceparent, payload, last_error, batch_id
  )
  select id, run_at, enqueued_at, deadline_at, claimed_at, _now, worker_id, attempt, failures,
         max_attempts,
         'cancelled', priority, unresolved, type, environment, queue, definition_hash, subject,
         subject_digest, enqueued_by, actor, idempotency_key, traceparent, payload, last_error,
         batch_id
    from gone;
  if _job.subject is not null then
    perform writ_data.unpark_subjects(array[_job.environment], array[_job.subject], _now);
  end if;
  return 'cancelled';
end
$$;

grant execute on function
  writ.replay(bigint, boolean), writ.replay_plan(bigint), writ.cancel(bigint, boolean)
to writ_admin;
