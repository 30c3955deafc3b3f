-- sweep.sql: what nobody else does: lost workers, due jobs, expired ones, partitions. Lock order:
-- claim.sql.

-- expire: up to max_jobs jobs whose deadline has passed end as discarded, if they have changed
-- nothing; those about the same subjects that waited for them become available. What has changed
-- something goes on, and has no deadline from here on, so that no sweep meets it twice. A job that
-- is running is looked at by its worker, before the next request that would change something.
-- Locks: job rows with skip locked, then slots.
-- Index: job_deadline, at most max_jobs entries.
create or replace function writ_data.expire(max_jobs int, now timestamptz) returns int
language plpgsql
as $$
#variable_conflict use_column
declare
  _ids bigint[];
  _expired bigint[];
  _environments text[];
  _subjects text[];
begin
  _ids := array(
    select j.id
      from writ_data.job as j
     where j.deadline_at is not null and j.deadline_at <= $2
       and j.state <> 'running' and not j.unresolved
       and (j.waiting_reason is null or j.waiting_reason <> 'review')
     order by j.deadline_at
     limit $1
       for update skip locked
  );
  if _ids = '{}' then
    return 0;
  end if;
  _expired := array(
    select id
      from unnest(_ids) as id
     where not exists (
             select
               from writ_data.journal as n
              where n.job_id = id and n.effect <> 'none' and n.result is distinct from 'failed'
           )
  );
  update writ_data.job as j
     set deadline_at = null
   where j.id = any (_ids) and j.id <> all (_expired);
  delete from writ_data.subject_slot as s
   using writ_data.job as j
   where j.id = any (_expired) and j.subject is not null
     and s.environment = j.environment and s.subject = j.subject and s.job_id = j.id;
  with gone as (
    delete from writ_data.job as j where j.id = any (_expired) returning j.*
  ), moved as (
    delete from writ_data.journal as n where n.job_id = any (_expired) returning n.*
  ), kept as (
    insert into writ_data.journal_history (
      job_id, intent_at, outcome_at, finished_at, duration_us, seq, attempt, status, step, effect,
      result, error_code, outputs, action
    )
    select job_id, intent_at, outcome_at, $2, duration_us, seq, attempt, status, step, effect,
           result, error_code, outputs, action
      from moved
  ), logged as (
    insert into writ_data.audit_event (
      occurred_at, event, job_id, attempt, type, environment, from_state, to_state, waiting_reason,
      role_name, error_code, definition_hash, subject_digest
    )
    select $2, 'expired', id, attempt, type, environment, state, 'discarded', waiting_reason,
           session_user, 'expired', definition_hash, subject_digest
      from gone
     order by id
  ), finished as (
    insert into writ_data.job_history (
      id, run_at, enqueued_at, deadline_at, claimed_at, finished_at, worker_id, attempt, failures,
      max_attempts, state, priority, unresolved, type, environment, queue, definition_hash, subject,
      subject_digest, enqueued_by, actor, idempotency_key, traceparent, payload, batch_id, last_error
    )
    select id, run_at, enqueued_at, deadline_at, claimed_at, $2, worker_id, attempt, failures,
           max_attempts, 'discarded', priority, unresolved, type, environment, queue,
           definition_hash, subject, subject_digest, enqueued_by, actor, idempotency_key,
           traceparent, payload, batch_id,
           jsonb_build_object(
             'code', 'expired', 'text', 'the job had changed nothing when its time was over'
           )
      from gone
  )
  select array_agg(environment), array_agg(subject)
    into _environments, _subjects
    from gone
   where subject is not null;
  if _environments is not null then
    perform writ_data.unpark_subjects(_environments, _subjects, $2);
  end if;
  return cardinality(_expired);
end
$$;

-- forget_workers: the rows of up to max_workers workers whose end is a week old. The trail keeps their
-- numbers, and what they were called in the event of their registration. A worker that has ended
-- claims nothing any more (claim.sql looks at its lease last of all), and nothing that it held is left
-- once it is swept; the look for running jobs is a net: they would be nobody's.
-- Locks: the rows, with skip locked: somebody may be claiming with a lease that has ended, and is
-- refused.
-- Index: the primary key, from the left. No index of its own: what is walked over in vain is the
-- workers of one week, once a minute.
create or replace function writ_data.forget_workers(now timestamptz, max_workers int) returns void
language plpgsql
as $$
declare
  _old bigint[];
begin
  _old := array(
    select w.id
      from writ_data.worker as w
     where w.ended_at < $1 - interval '7 days' and w.is_swept
       and not exists (
             select from writ_data.job as j where j.state = 'running' and j.worker_id = w.id
           )
     order by w.id
     limit $2
       for update skip locked
  );
  if _old = '{}' then
    return;
  end if;
  delete from writ_data.worker_key as k where k.worker_id = any (_old);
  delete from writ_data.worker as w where w.id = any (_old);
end
$$;

-- sweep: what nobody else does. Returns workers of lost leases, their jobs returned, due jobs
-- promoted, jobs unparked, jobs expired, and when the next job falls due. One sweeper at a time;
-- the others return at once.
-- Locks: the row of sweep_state; job rows with skip locked; slots; running jobs, by id, for a moment
-- after a limit was set. Whatever a caller's transaction may hold for hours is skipped, and what is
-- waited for all the same is given up after two seconds, without the rest of the sweep.
-- A due job is looked for from `due_from` on: what the index holds to the left of it was promoted
-- already, and is walked over only once a minute (a transaction that committed late may have put a
-- job there).
drop function if exists writ_worker.sweep(int);
create or replace function writ_worker.sweep(max_jobs int)
returns table (
  lost_workers int, returned int, promoted int, unparked int, expired int, next_due_at timestamptz
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
  _now timestamptz := clock_timestamp();
  _state writ_data.sweep_state;
  _is_full boolean;
  _lost bigint[];
  _lost_count int := 0;
  _returned int := 0;
  _promoted int := 0;
  _unparked int := 0;
  _expired int := 0;
  _next timestamptz;
  _queues text[];
  _place record;
  _environments text[];
  _subjects text[];
  _asked record;
begin
  select s.* into _state from writ_data.sweep_state as s for update skip locked;
  if not found then
    return;
  end if;
  _is_full := _state.full_at < _now - interval '1 minute';

  -- Leases that ended.
  with lost as (
    update writ_data.worker as w
       set state = 'lost', ended_at = _now, is_idle = false
     where not w.is_swept and w.state = 'live' and w.lease_expires_at <= _now
    returning w.id
  ), forgotten as (
    delete from writ_data.worker_key as k using lost where k.worker_id = lost.id
  ), logged as (
    insert into writ_data.audit_event (occurred_at, event, worker_id, role_name)
    select _now, 'worker_lost', id, session_user from lost
  )
  select count(*) into _lost_count from lost;

  -- A net: no worker that is gone may have a job left.
  if _is_full then
    delete from writ_data.target_answer as a where a.answered_at < _now - interval '1 hour';
    update writ_data.worker as w
       set is_swept = false
     where w.id = any (
             array(select distinct j.worker_id from writ_data.job as j where j.state = 'running')
           )
       and w.is_swept;
  end if;

  -- Their jobs go first again, or to a person when they have failed often enough. What a worker
  -- that stopped in order left behind costs no attempt.
  select array_agg(w.id) into _lost from writ_data.worker as w where not w.is_swept
         and w.state <> 'live';
  if _lost is not null then
    with held as materialized (
      select j.id
        from writ_data.job as j
       where j.state = 'running' and j.worker_id = any (_lost)
       order by j.id
       limit $1
         for update skip locked
    ), before as materialized (
      select j.id, j.worker_id, w.state as worker_state,
             w.state = 'lost' and j.failures + 1 >= j.max_attempts as is_spent
        from writ_data.job as j
        join writ_data.worker as w on w.id = j.worker_id
       where j.id = any (array(select id from held))
    ), changed as (
      update writ_data.job as j
         set state = case when b.is_spent then 'waiting' else 'available' end::writ_data.job_state,
             waiting_reason = case when b.is_spent then 'review'::writ_data.waiting_reason end,
             waiting_since = case when b.is_spent then _now end,
             claim_order = case when not b.is_spent then -nextval('writ_data.claim_order') end,
             failures = j.failures + case when b.worker_state = 'lost' then 1 else 0 end,
             worker_id = null, is_limited = false,
             last_error = case
               when b.worker_state = 'lost'
               then jsonb_build_object(
                 'code', 'lease_expired', 'text', 'the worker was lost while it ran this job'
               )
               else j.last_error
             end
        from before as b
       where j.id = b.id and j.id = any (array(select id from held))
      returning j.*, b.worker_id as old_worker_id, b.worker_state
    ), logged as (
      insert into writ_data.audit_event (
        occurred_at, event, job_id, worker_id, attempt, type, environment, from_state, to_state,
        waiting_reason, role_name, error_code, subject_digest
      )
      select _now,
             case
               when c.worker_state = 'lost' then 'lease_expired' else 'handed_back'
             end::writ_data.audit_event_kind,
             c.id,
             c.old_worker_id, c.attempt, c.type, c.environment, 'running', c.state,
             c.waiting_reason,
             session_user, case when c.worker_state = 'lost' then 'lease_expired' end,
             c.subject_digest
        from changed as c
       order by c.id
    )
    select count(*), array_agg(distinct c.queue) filter (where c.state = 'available')
      into _returned, _queues
      from changed as c;
    update writ_data.worker as w
       set is_swept = true
     where w.id = any (_lost)
       and not exists (select from writ_data.job as j where j.state = 'running'
         and j.worker_id = w.id);
  end if;

  -- Before anything is promoted: what is not wanted any more must not start.
  _expired := writ_data.expire($1, _now);

  -- Due jobs get a place at the end of the line.
  with held as materialized (
    select j.id
      from writ_data.job as j
     where j.state in ('scheduled', 'retryable') and j.run_at <= _now
       and j.run_at >= case when _is_full then '-infinity' else _state.due_from end
     order by j.run_at
     limit $1
       for update skip locked
  ), before as materialized (
    select j.id, j.state from writ_data.job as j where j.id = any (array(select id from held))
  ), changed as (
    update writ_data.job as j
       set state = 'available', claim_order = nextval('writ_data.claim_order')
     where j.id = any (array(select id from held))
    returning j.*
  ), logged as (
    insert into writ_data.audit_event (
      occurred_at, event, job_id, attempt, type, environment, from_state, to_state, role_name,
      subject_digest
    )
    select _now, 'promoted', c.id, c.attempt, c.type, c.environment, b.state, 'available',
           session_user,
           c.subject_digest
      from changed as c
      join before as b on b.id = c.id
     order by c.run_at, c.id
  )
  select count(*), _queues || array_agg(distinct c.queue)
    into _promoted, _queues
    from changed as c;
  select j.run_at
    into _next
    from writ_data.job as j
   where j.state in ('scheduled', 'retryable')
     and j.run_at >= case when _is_full then '-infinity' else _state.due_from end
   order by j.run_at
   limit 1;

  -- Parked jobs that nobody will wake: the job they waited for ended while they were being parked.
  select array_agg(distinct_subject.environment), array_agg(distinct_subject.subject)
    into _environments, _subjects
    from (
      select distinct j.environment, j.subject
        from writ_data.job as j
       where j.state = 'waiting' and j.waiting_reason = 'predecessor'
         and j.waiting_since >= case when _is_full then '-infinity'
           else _now - interval '15 seconds' end
    ) as distinct_subject;
  if _environments is not null then
    _unparked := writ_data.unpark_subjects(_environments, _subjects, _now);
  end if;
  -- What no limit holds any more; and what a claim began before a limit was set, and so left out.
  _unparked := _unparked + writ_data.unpark_lifted($1, _now);
  begin
    perform writ_data.make_gates();
    for _place in
      select s.environment, s.type
        from writ_data.limit_setting as s
       where s.concurrency is not null and s.changed_at > _now - interval '15 seconds'
      union
      select e.name, t.name
        from writ_data.environment as e, writ_data.job_type as t
       where t.concurrency is not null and t.published_at > _now - interval '15 seconds'
      union
      -- Whatever a longer transaction has changed, once a minute.
      select l.environment, l.type
        from writ_data.limit_in_force as l
       where _is_full and l.concurrency is not null
         and exists (
               select
                 from writ_data.job as j
                where j.state = 'running' and not j.is_limited and j.environment = l.environment
                  and l.type in ('', j.type)
             )
    loop
      perform writ_data.count_running(_place.environment, _place.type);
    end loop;
  exception
    -- Somebody's transaction holds a running job: the next sweep counts it.
    when lock_not_available then null;
  end;

  begin
    perform writ_data.finish_batches(_now);
  exception
    when lock_not_available then null;
  end;

  if _is_full then
    -- The next month first: where a default partition holds rows of this one already, this one's
    -- partition cannot be made any more, and that must not be so every month from then on.
    for _month in 1..2
    loop
      begin
        perform writ_data.add_partitions(_now + interval '1 month' * (2 - _month));
      exception
        -- The default partitions take the rows until a later sweep finds a quiet moment.
        when lock_not_available or check_violation then null;
      end;
    end loop;
    delete from writ_data.idempotency_key as k
     where k.ctid = any (
             array(
               select old.ctid
                 from writ_data.idempotency_key as old
                where old.free_at <= _now
                limit 1000
                  for update skip locked
             )
           );
    delete from writ_data.earlier_idempotency_key as k
     where k.ctid = any (
             array(
               select old.ctid
                 from writ_data.earlier_idempotency_key as old
                where old.created_at <= _now - interval '720 hours'
                limit 1000
             )
           );
    perform writ_data.forget_workers(_now, 1000);
    begin
      perform writ_data.forget_old_rows(_now, 10000);
    exception
      when lock_not_available then null;
    end;
  end if;
  _asked := writ_data.promote_user_actions(_now, $1);
  _promoted := _promoted + _asked.promoted;
  _queues := _queues || _asked.queues;

  -- While more than a batch is due, start where this one ended.
  update writ_data.sweep_state as s
     set due_from = least(coalesce(_next, _now), _now - interval '1 minute'),
         full_at = case when _is_full then _now else s.full_at end;
  if _queues is not null then
    perform writ_data.wake(q) from (select distinct unnest(_queues) as q) as queues
      where q is not null;
  end if;
  return query
    select _lost_count, _returned, _promoted, _unparked, _expired,
           least(_next, _asked.next_due_at);
end
$$;

grant execute on function writ_worker.sweep(int) to writ_worker;
