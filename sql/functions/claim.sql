-- claim.sql: how jobs are claimed, parked and unparked.
-- Lock order, the same in all files: job rows (by id; what is only wanted, not held, with skip
-- locked), then gates (by environment and type), then slots (by subject). Workers wait for each
-- other only at a gate or a slot, and those are held for the rest of a short transaction. Producers
-- take none of these locks.

-- The gate of a limited type: who counts its running jobs, or ends one, goes through it.
create or replace function writ_data.lock_gates(environment text, types text[]) returns void
language plpgsql
as $$
#variable_conflict use_column
begin
  insert into writ_data.gate (environment, type)
  select distinct $1, name
    from unnest($2) as name
   where not exists (
           select from writ_data.gate as g where g.environment = $1 and g.type = name
         )
   order by name
  on conflict do nothing;
  perform
     from writ_data.gate as g
    where g.environment = $1 and g.type = any ($2)
    order by g.type
      for update;
end
$$;

-- unpark_subjects: the next job of each of these subjects becomes available, if it only waited for
-- its turn.
-- Next is the lowest id that is not scheduled for later. Skips a row that somebody holds: the
-- sweeper finds what is left over.
create or replace function writ_data.unpark_subjects(environments text[], subjects text[], now timestamptz)
returns int
language plpgsql
as $$
#variable_conflict use_column
declare
  _count int;
  _queues text[];
begin
  with next_job as materialized (
    select next.id
      from (select distinct environment, subject from unnest($1, $2) as u (environment,
      subject)) as s,
           lateral (
             select j.id
               from writ_data.job as j
              where j.environment = s.environment and j.subject = s.subject
                and j.state <> 'scheduled'
              order by j.id
              limit 1
           ) as next
     where not exists (
             select from writ_data.subject_slot as slot
              where slot.environment = s.environment and slot.subject = s.subject
                and slot.job_id <> next.id
           )
  ), held as materialized (
    select j.id
      from writ_data.job as j
     -- As text, so that no partial index fits: there may be many waiting jobs, and few are next.
     where j.id = any (array(select id from next_job))
       and j.state::text = 'waiting' and j.waiting_reason = 'predecessor'
     order by j.id
       for update skip locked
  ), changed as (
    update writ_data.job as j
       set state = 'available', waiting_reason = null, waiting_since = null,
           claim_order = -nextval('writ_data.claim_order')
      from held
     where j.id = held.id
    returning j.*
  ), logged as (
    insert into writ_data.audit_event (
      occurred_at, event, job_id, attempt, type, environment, from_state, to_state, waiting_reason,
      role_name, subject_digest
    )
    select $3, 'unparked', id, attempt, type, environment, 'waiting', 'available', 'predecessor',
           session_user, subject_digest
      from changed
     order by id
  )
  select count(*), array_agg(distinct queue) into _count, _queues from changed;
  perform writ_data.wake(queue) from unnest(_queues) as queue;
  return _count;
end
$$;

-- unpark_type: as many parked jobs of a type become available as its limit leaves room for.
-- The caller holds the gate of the type.
create or replace function writ_data.unpark_type(environment text, type text, now timestamptz) returns int
language plpgsql
as $$
#variable_conflict use_column
declare
  _limit int;
  _running bigint;
  _count int;
  _queues text[];
begin
  if not exists (
    select
      from writ_data.job as j
     where j.environment = $1 and j.type = $2 and j.state = 'waiting'
       and j.waiting_reason = 'concurrency'
  ) then
    return 0;
  end if;
  select t.concurrency into _limit from writ_data.job_type as t where t.name = $2;
  if _limit is null then
    _limit := 1000;
  else
    select count(*)
      into _running
      from writ_data.job as j
     where j.environment = $1 and j.type = $2 and j.state = 'running' and j.is_limited;
    _limit := _limit - _running;
  end if;
  if _limit <= 0 then
    return 0;
  end if;
  with held as materialized (
    select j.id
      from writ_data.job as j
     where j.environment = $1 and j.type = $2 and j.state = 'waiting'
       and j.waiting_reason = 'concurrency'
     order by j.priority, j.id
     limit _limit
       for update skip locked
  ), changed as (
    update writ_data.job as j
       set state = 'available', waiting_reason = null, waiting_since = null,
           claim_order = -nextval('writ_data.claim_order')
      from held
     where j.id = held.id
    returning j.*
  ), logged as (
    insert into writ_data.audit_event (
      occurred_at, event, job_id, attempt, type, environment, from_state, to_state, waiting_reason,
      role_name, subject_digest
    )
    select $3, 'unparked', id, attempt, type, environment, 'waiting', 'available', 'concurrency',
           session_user, subject_digest
      from changed
     order by id
  )
  select count(*), array_agg(distinct queue) into _count, _queues from changed;
  perform writ_data.wake(queue) from unnest(_queues) as queue;
  return _count;
end
$$;

-- park: jobs whose rows the caller holds have to wait.
create or replace function writ_data.park(
  ids bigint[], reason writ_data.waiting_reason, worker_id bigint, now timestamptz
) returns void
language plpgsql
as $$
#variable_conflict use_column
begin
  with changed as (
    update writ_data.job as j
       set state = 'waiting', waiting_reason = $2, waiting_since = $4, claim_order = null
     where j.id = any ($1)
    returning j.*
  )
  insert into writ_data.audit_event (
    occurred_at, event, job_id, worker_id, attempt, type, environment, from_state, to_state,
    waiting_reason, role_name, subject_digest
  )
  select $4, 'parked', id, $3, attempt, type, environment, 'available', 'waiting', $2, session_user,
         subject_digest
    from changed
   order by id;
end
$$;

-- admit: which of these available jobs, held by the caller, may start; the others are parked.
-- `granted` are jobs that this claim has admitted already. A job with a subject starts when no
-- earlier job of that subject is unfinished and nobody holds the subject's slot. Earlier jobs that
-- are scheduled for later do not stand in the way.
create or replace function writ_data.admit(
  ids bigint[], environment text, worker_id bigint, now timestamptz, granted bigint[]
) returns bigint[]
language plpgsql
as $$
#variable_conflict use_column
declare
  _limited text[];
  _blocked bigint[];
  _owned bigint[];
  _started bigint[];
  _over bigint[];
begin
  select array_agg(distinct t.name)
    into _limited
    from writ_data.job as j
    join writ_data.job_type as t on t.name = j.type
   where j.id = any ($1) and t.concurrency is not null;
  if _limited is not null then
    perform writ_data.lock_gates($2, _limited);
  end if;

  select array_agg(j.id)
    into _owned
    from writ_data.job as j
    join writ_data.subject_slot as s
      on s.environment = j.environment and s.subject = j.subject and s.job_id = j.id
   where j.id = any ($1) and j.subject is not null;
  with wanted as materialized (
    select j.id, j.subject
      from writ_data.job as j
     where j.id = any ($1) and j.subject is not null and j.id <> all (coalesce(_owned, '{}'))
       and not exists (
             select
               from writ_data.job as earlier
              where earlier.environment = j.environment and earlier.subject = j.subject
                and earlier.id < j.id and earlier.state <> 'scheduled'
           )
     order by j.subject
  ), made as (
    insert into writ_data.subject_slot as s (environment, subject, job_id)
    select $2, subject, id from wanted order by subject
    on conflict do nothing
    returning s.job_id
  )
  select array_agg(job_id) into _started from made;
  select array_agg(j.id)
    into _blocked
    from writ_data.job as j
   where j.id = any ($1) and j.subject is not null
     and j.id <> all (coalesce(_owned, '{}') || coalesce(_started, '{}'));
  if _blocked is not null then
    perform writ_data.park(_blocked, 'predecessor', $3, $4);
    ids := array(select id from unnest($1) as id where id <> all (_blocked));
  end if;

  if _limited is not null then
    select array_agg(r.id)
      into _over
      from (
        select j.id, j.type,
               row_number() over (partition by j.type order by j.priority, j.claim_order) as place
          from writ_data.job as j
         where j.id = any (ids) and j.type = any (_limited)
      ) as r
      join writ_data.job_type as t on t.name = r.type
     where r.place > t.concurrency - (
             select count(*)
               from writ_data.job as running
              where running.environment = $2 and running.type = r.type and running.state = 'running'
                and running.is_limited
           ) - (
             select count(*) from writ_data.job as g where g.id = any ($5) and g.type = r.type
           );
    if _over is not null then
      perform writ_data.park(_over, 'concurrency', $3, $4);
      delete from writ_data.subject_slot as s
       using writ_data.job as j
       where j.id = any (_over) and j.id = any (_started)
         and s.environment = j.environment and s.subject = j.subject and s.job_id = j.id;
      ids := array(select id from unnest(ids) as id where id <> all (_over));
    end if;
  end if;
  return ids;
end
$$;

-- claim: up to max_jobs available jobs of a queue in an environment become running, for this
-- worker.
-- Order: priority, then the front lane (what came back), then the place in the line beyond
-- lower_bounds[priority + 1], the worker's cursor. The naive `order by … limit` from the left end
-- walks over every entry of a claimed job for as long as anybody holds a snapshot, and falls to a
-- tenth of its speed in minutes; from the cursor it does not.
-- Locks: job rows, skip locked; then admit's.
-- Index: job_available, one range a lane; the settings below keep any plan from walking elsewhere,
-- also one that was made when the table was empty. They make plans look dear, so JIT compilation
-- has to be off too.
-- Returns: one row a claimed job, in the order of the claim, or a single row without an id. Every
-- row carries the snapshot by which the worker judges how far its cursor is safe, and whether
-- nothing is left beyond the bounds (`exhausted`; never when the lease has ended).
-- `unresolved` is the value before this claim.
create or replace function writ_worker.claim(
  worker_id bigint, queue text, environment text, max_jobs int, lower_bounds bigint[]
) returns table (
  id bigint, type text, definition_hash text, payload jsonb, subject text, attempt int,
  failures int,
  max_attempts int, unresolved boolean, past_deadline boolean, cancel_requested boolean,
  traceparent text,
  priority smallint, claim_order bigint, enqueued_at timestamptz, journal jsonb,
  exhausted boolean, snapshot_xmin bigint, snapshot_xmax bigint
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  _now timestamptz := clock_timestamp();
  _low constant bigint := -9223372036854775808;
  _high constant bigint := 9223372036854775807;
  _bounds bigint[] := $5;
  _wanted int := least($4, 1000);
  _found bigint[];
  _admitted bigint[];
  _granted bigint[] := '{}';
  _needs_admission boolean;
  _exhausted boolean := false;
  _round int := 0;
begin
  if cardinality(_bounds) <> 10 or array_position(_bounds, null) is not null then
    raise exception using
      errcode = 'WR003', column = 'lower_bounds',
      message = 'claim: lower_bounds must be ten numbers',
      hint = 'One a priority, from 0 to 9.';
  end if;
  if exists (
    select
      from writ_data.worker as w
     where w.id = $1 and w.state = 'live' and w.lease_expires_at > _now
  ) then
    -- A round that had to park jobs looks again behind them, a bounded number of times.
    while _round < 20 and _wanted > 0
    loop
      _round := _round + 1;
      select array_agg(c.id), bool_or(c.subject is not null or t.concurrency is not null)
        into _found, _needs_admission
        from (
          select candidate.id, candidate.type, candidate.subject
            from (
              select p.priority, lane.low, lane.high
                from generate_series(0, 9) as p (priority),
                     lateral (
                       values (1, _low, 0::bigint), (2, _bounds[p.priority + 1], _high)
                     ) as lane (place, low, high)
               order by p.priority, lane.place
            ) as lane,
            lateral (
              select j.id, j.type, j.subject
                from writ_data.job as j
               where j.state = 'available' and j.queue = $2 and j.environment = $3
                 and j.priority = lane.priority::smallint
                 and j.claim_order > lane.low and j.claim_order < lane.high
                 and j.id <> all (_granted)
               order by j.claim_order
               limit _wanted
                 for update skip locked
            ) as candidate
           limit _wanted
        ) as c
        left join writ_data.job_type as t on t.name = c.type;
      _exhausted := coalesce(cardinality(_found), 0) < _wanted;
      exit when _found is null;
      _admitted := _found;
      if _needs_admission then
        _admitted := writ_data.admit(_found, $3, $1, _now, _granted);
      end if;
      _granted := _granted || _admitted;
      exit when _exhausted or cardinality(_admitted) = cardinality(_found);
      _wanted := _wanted - cardinality(_admitted);
    end loop;
  end if;

  if _granted = '{}' then
    return query
      select null::bigint, null, null, null::jsonb, null, null::int, null::int, null::int,
             null::boolean,
             null::boolean, null::boolean, null, null::smallint, null::bigint, null::timestamptz,
             null::jsonb, _exhausted, pg_snapshot_xmin(s)::text::bigint,
             pg_snapshot_xmax(s)::text::bigint
        from pg_current_snapshot() as s;
    return;
  end if;

  -- Anew, because a gate or a slot may have been waited for: nobody may seem to start before his
  -- predecessor ended.
  _now := clock_timestamp();
  return query
    with place as (
      select g.id, g.place, old.unresolved, old.claim_order
        from unnest(_granted) with ordinality as g (id, place)
        join writ_data.job as old on old.id = g.id
    ), taken as (
      update writ_data.job as j
         set state = 'running', attempt = j.attempt + 1, unresolved = true, worker_id = $1,
             claimed_at = _now, claim_order = null,
             is_limited = exists (
               select
                 from writ_data.job_type as t
                where t.name = j.type and t.concurrency is not null
             )
        from place
       where j.id = place.id
      returning j.*, place.place, place.unresolved as was_unresolved, place.claim_order as old_order
    ), logged as (
      insert into writ_data.audit_event (
        occurred_at, event, job_id, worker_id, attempt, type, environment, from_state, to_state,
        role_name,
        subject_digest
      )
      select _now, 'claimed', t.id, $1, t.attempt, t.type, t.environment, 'available', 'running',
             session_user, t.subject_digest
        from taken as t
       order by t.place
    )
    select t.id, t.type, t.definition_hash, t.payload::jsonb, t.subject, t.attempt::int,
           t.failures::int,
           t.max_attempts::int, t.was_unresolved, coalesce(t.deadline_at <= _now, false),
           t.cancel_requested, t.traceparent, t.priority::smallint, t.old_order, t.enqueued_at,
           case
             when t.attempt = 1 then '[]'
             else coalesce(
               (
                 select jsonb_agg(
                          jsonb_build_object(
                            'seq', n.seq, 'attempt', n.attempt, 'step', n.step, 'effect', n.effect,
                            'result', n.result, 'status', n.status, 'error_code', n.error_code,
                            'outputs', n.outputs, 'action', n.action
                          ) order by n.seq
                        )
                   from writ_data.journal as n
                  where n.job_id = t.id
               ),
               '[]'
             )
           end,
           _exhausted, pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint
      from taken as t, pg_current_snapshot() as s
     order by t.place;
end
$$;

grant execute on function writ_worker.claim(bigint, text, text, int, bigint[]) to writ_worker;
