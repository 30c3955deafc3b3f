-- 0006: the workers' functions: lease, claim, record, sweep.
-- Lock order, the same everywhere: job rows (by id; what is only wanted, not held, with skip
-- locked), then gates (by environment and type), then slots (by subject). Workers wait for each
-- other only at a gate or a slot, and those are held for the rest of a short transaction. Producers
-- take none of these locks.
set local role writ_owner;

-- The gate of a limited type: who counts its running jobs, or ends one, goes through it.
create function writ_data.lock_gates(environment text, types text[]) returns void
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

-- register: a new worker with a lease of its own.
create function writ_worker.register(name text, host text, pid int, version text, lease interval)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  _now constant timestamptz := clock_timestamp();
  _id bigint;
begin
  if lease is null or lease not between interval '1 second' and interval '10 minutes' then
    raise exception using
      errcode = 'WR003', column = 'lease',
      message = 'register: lease must be from 1 second to 10 minutes',
      hint = 'Ten seconds let a lost worker be noticed within ten seconds.';
  end if;
  insert into writ_data.worker as w (
    started_at, heartbeat_at, lease_expires_at, pid, name, host, version, role_name
  )
  values (
    _now, _now, _now + lease, pid, left(name, 200), left(host, 255), left(version, 100),
    session_user
  )
  returning w.id into _id;
  insert into writ_data.audit_event (occurred_at, event, worker_id, role_name, recorded)
  values (
    _now, 'worker_registered', _id, session_user,
    jsonb_build_object('name', left(name, 200), 'host', left(host, 255), 'version', left(version,
    100))
  );
  return _id;
end
$$;

-- renew: move the end of a lease that has not expired. Null: it has, and never comes back.
create function writ_worker.renew(worker_id bigint, lease interval,
is_idle boolean) returns timestamptz
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
  _expires timestamptz;
begin
  update writ_data.worker as w
     set heartbeat_at = _now, lease_expires_at = _now + least($2, interval '10 minutes'),
         is_idle = coalesce($3, w.is_idle)
   where w.id = $1 and w.state = 'live' and w.lease_expires_at > _now
  returning w.lease_expires_at into _expires;
  return _expires;
end
$$;

-- set_idle: say whether producers should wake this worker. Changes nothing of the lease.
create function writ_worker.set_idle(worker_id bigint, is_idle boolean) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  update writ_data.worker as w
     set is_idle = $2
   where w.id = $1 and w.state = 'live' and w.is_idle is distinct from $2;
  return found;
end
$$;

-- deregister: end the lease at once. Jobs that it still holds are returned by the next sweep.
create function writ_worker.deregister(worker_id bigint) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
begin
  update writ_data.worker as w
     set state = 'stopped', ended_at = _now, is_idle = false,
         lease_expires_at = least(w.lease_expires_at, _now)
   where w.id = $1 and w.state = 'live';
  if not found then
    return false;
  end if;
  insert into writ_data.audit_event (occurred_at, event, worker_id, role_name)
  values (_now, 'worker_stopped', $1, session_user);
  return true;
end
$$;

-- unpark_subjects: the next job of each of these subjects becomes available, if it only waited for
-- its turn.
-- Next is the lowest id that is not scheduled for later. Skips a row that somebody holds: the
-- sweeper finds what is left over.
create function writ_data.unpark_subjects(environments text[], subjects text[], now timestamptz)
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
create function writ_data.unpark_type(environment text, type text, now timestamptz) returns int
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
create function writ_data.park(
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
create function writ_data.admit(
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
create function writ_worker.claim(
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

create type writ_data.record_entry as (
  place bigint, job bigint, attempt int, kind text, seq int, step text, effect text, result jsonb,
  status int, error_code text, duration_us bigint, outputs jsonb, action jsonb, recorded jsonb,
  digested jsonb, error jsonb, delay_us bigint, burns boolean, unresolved boolean
);

-- record: what happened to jobs that this worker holds; one transaction for entries of many jobs.
-- Entries, in order: {"job", "attempt", "kind", …} with, by kind,
--   intent    seq, step, effect
--   outcome seq, step, effect, result, status, error_code, duration_us, outputs, action, recorded,
--   digested complete  result, recorded, digested
--   discard   error              review  error
--   retry     delay_us, burns, unresolved, error
--   cancel                       hand_back  unresolved
-- Fence: an entry counts only while its job is running under this worker with this attempt, and the
-- worker's lease has not ended. Anything else is answered with accepted = false: the lease has
-- passed on, stop.
-- A journal row that has its outcome stays as it is, unless its action is to try again: then the
-- next try takes its place, and the trail keeps both. So a batch that is sent again after its
-- answer was lost changes nothing; an entry for a job that has ended is not accepted.
-- Locks: job rows by id, gates, slots.
-- Plans: every access to a hot table names ids as an array, so that a plan made for an empty table
-- stays an index scan when it is not empty any more.
-- Returns: one row a job, with whether a person has asked to cancel it.
create function writ_worker.record(worker_id bigint, entries jsonb)
returns table (job_id bigint, accepted boolean, cancel_requested boolean)
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
  _all writ_data.record_entry[];
  _entries writ_data.record_entry[];
  _asked bigint[];
  _ids bigint[];
  _cancels boolean[];
  _ending bigint[];
  _leaving bigint[];
  _has_subjects boolean;
  _environments text[];
  _subjects text[];
  _gate record;
begin
  select array_agg(e::writ_data.record_entry order by e.place), array_agg(distinct e.job)
    into _all, _asked
    from (
      select e.place, e.job, e.attempt, e.kind, e.seq, e.step, e.effect, e.result, e.status,
             left(e.error_code, 100), e.duration_us, e.outputs, e.action, nullif(e.recorded, '{}'),
             nullif(e.digested, '{}'), e.error, e.delay_us, e.burns, e.unresolved
        from rows from (
               jsonb_to_recordset($2) as (
                 job bigint, attempt int, kind text, seq int, step text, effect text, result jsonb,
                 status int, error_code text, duration_us bigint, outputs jsonb, action jsonb,
                 recorded jsonb, digested jsonb, error jsonb, delay_us bigint, burns boolean,
                 unresolved boolean
               )
             ) with ordinality as e (
               job, attempt, kind, seq, step, effect, result, status, error_code, duration_us,
               outputs,
               action, recorded, digested, error, delay_us, burns, unresolved, place
             )
    ) as e (
      place, job, attempt, kind, seq, step, effect, result, status, error_code, duration_us,
      outputs, action,
      recorded, digested, error, delay_us, burns, unresolved
    );

  with held as materialized (
    select j.id, j.attempt, j.cancel_requested, j.subject is not null as has_subject
      from writ_data.job as j
     -- As text, so that no partial index fits: job_running keeps the entries of every job that this
     -- worker ever held, for as long as anybody holds a snapshot.
     where j.id = any (_asked) and j.state::text = 'running' and j.worker_id = $1
       and exists (
             select
               from writ_data.worker as w
              where w.id = $1 and w.state = 'live' and w.lease_expires_at > clock_timestamp()
           )
       and exists (select from unnest(_all) as e where e.job = j.id and e.attempt = j.attempt)
     order by j.id
       for update of j
  )
  select array_agg(h.id), array_agg(h.cancel_requested), bool_or(h.has_subject),
         (
           select array_agg(e order by e.place)
             from unnest(_all) as e
             join held on held.id = e.job and held.attempt = e.attempt
         )
    into _ids, _cancels, _has_subjects, _entries
    from held as h;

  if _ids is not null then
    _now := clock_timestamp();
    select array_agg(distinct e.job) filter (where e.kind in ('complete', 'discard', 'cancel')),
           array_agg(distinct e.job) filter (where e.kind not in ('intent', 'outcome'))
      into _ending, _leaving
      from unnest(_entries) as e;

    -- The trail first, while the rows still say where the jobs come from.
    insert into writ_data.audit_event (
      occurred_at, event, job_id, worker_id, attempt, type, environment, from_state, to_state,
      waiting_reason, step, role_name, outcome, http_status, error_code, duration_us,
      definition_hash,
      subject_digest, recorded
    )
    select _now,
           case e.kind
             when 'outcome' then 'step' when 'complete' then 'completed'
               when 'discard' then 'discarded'
             when 'cancel' then 'cancelled' when 'retry' then 'retried'
               when 'review' then 'review_requested'
             when 'hand_back' then 'handed_back'
           end::writ_data.audit_event_kind,
           e.job, $1, e.attempt, j.type, j.environment,
           case when e.kind <> 'outcome' then j.state end,
           case e.kind
             when 'complete' then 'completed' when 'discard' then 'discarded'
               when 'cancel' then 'cancelled'
             when 'retry' then 'retryable' when 'review' then 'waiting'
               when 'hand_back' then 'available'
           end::writ_data.job_state,
           case when e.kind = 'review' then 'review'::writ_data.waiting_reason end,
           coalesce(e.step, e.error ->> 'step'), session_user,
           case when e.kind = 'outcome' then e.result #>> '{}' end,
           coalesce(e.status, (e.error ->> 'status')::int),
           coalesce(e.error_code, left(e.error ->> 'code', 100)), e.duration_us, j.definition_hash,
           j.subject_digest,
           case
             when e.recorded is not null or e.digested is not null
             then writ_data.recorded(e.recorded, e.digested)
           end
      from unnest(_entries) as e
      join writ_data.job as j on j.id = e.job and j.id = any (_ids)
     where e.kind <> 'intent'
       and not (
             e.kind = 'outcome' and exists (
               select
                 from writ_data.journal as n
                where n.job_id = e.job and n.seq = e.seq and n.attempt = e.attempt
                  and n.result = e.result #>> '{}' and n.action is not distinct from e.action
             )
           )
     order by e.place;

    -- The journals of the jobs that go on.
    insert into writ_data.journal as n (
      job_id, intent_at, outcome_at, duration_us, seq, attempt, status, step, effect, result,
      error_code,
      outputs, action
    )
    select distinct on (e.job, e.seq)
           e.job,
           case
             when e.kind = 'intent' then _now
             else greatest(j.claimed_at, _now - coalesce(e.duration_us,
             0) * interval '1 microsecond')
           end,
           case when e.kind = 'outcome' then _now end, e.duration_us, e.seq, e.attempt, e.status,
           e.step,
           e.effect, e.result #>> '{}', e.error_code, e.outputs, e.action
      from unnest(_entries) as e
      join writ_data.job as j on j.id = e.job and j.id = any (_ids)
     where e.kind in ('intent', 'outcome') and e.job <> all (coalesce(_ending, '{}'))
     order by e.job, e.seq, e.place desc
    on conflict (job_id, seq) do update
       set intent_at = case
             when n.outcome_at is null and excluded.outcome_at is not null then n.intent_at
             else excluded.intent_at
           end,
           outcome_at = excluded.outcome_at, duration_us = excluded.duration_us,
           attempt = excluded.attempt, status = excluded.status, step = excluded.step,
           effect = excluded.effect, result = excluded.result, error_code = excluded.error_code,
           outputs = excluded.outputs, action = excluded.action
     where n.outcome_at is null or n.action ->> 'do' = 'again';

    -- A job that ran under a limit and stops running makes room.
    if exists (select from writ_data.job as j where j.id = any (_leaving) and j.is_limited) then
      for _gate in
        select j.environment, array_agg(distinct j.type) as types
          from writ_data.job as j
         where j.id = any (_leaving) and j.is_limited
         group by j.environment
         order by j.environment
      loop
        perform writ_data.lock_gates(_gate.environment, _gate.types);
        _environments := _environments || array_fill(_gate.environment,
        array[cardinality(_gate.types)]);
        _subjects := _subjects || _gate.types;
      end loop;
    end if;

    -- The jobs that go on: back in the line, to wait, or on with a request on record.
    update writ_data.job as j
       set state = f.state,
           run_at = case
             when f.kind = 'retry'
             then _now + least(coalesce(f.delay_us, 0), 2592000000000) * interval '1 microsecond'
             else j.run_at
           end,
           failures = j.failures + case
             when f.kind = 'review' or (f.kind = 'retry' and coalesce(f.burns, true)) then 1 else 0
           end,
           unresolved = case
             when f.kind in ('retry', 'hand_back') then coalesce(f.unresolved, false)
             when f.kind = 'review' then j.unresolved and not f.has_outcome
             else false
           end,
           last_error = coalesce(f.error, j.last_error),
           waiting_reason = case when f.kind = 'review' then 'review'::writ_data.waiting_reason end,
           waiting_since = case when f.kind = 'review' then _now end,
           worker_id = case when f.state = 'running' then j.worker_id end,
           is_limited = f.state = 'running' and j.is_limited,
           claim_order = case when f.kind = 'hand_back' then -nextval('writ_data.claim_order') end
      from (
        select distinct on (e.job)
               e.job, e.kind, e.delay_us, e.burns, e.unresolved, e.error,
               case e.kind
                 when 'retry' then 'retryable' when 'review' then 'waiting'
                 when 'hand_back' then 'available' else 'running'
               end::writ_data.job_state as state,
               bool_or(e.kind = 'outcome') over (partition by e.job) as has_outcome
          from unnest(_entries) as e
         where e.kind <> 'intent' and e.job <> all (coalesce(_ending, '{}'))
         order by e.job, e.kind = 'outcome', e.place desc
      ) as f
     where j.id = f.job and j.id = any (_ids) and (f.kind <> 'outcome' or j.unresolved);

    if _ending is not null then
      if _has_subjects then
        delete from writ_data.subject_slot as s
         using writ_data.job as j
         where j.id = any (_ending) and j.subject is not null
           and s.environment = j.environment and s.subject = j.subject and s.job_id = j.id;
      end if;
      with final as materialized (
        select distinct on (e.job) e.job, e.kind, e.result, e.error
          from unnest(_entries) as e
         where e.kind in ('complete', 'discard', 'cancel')
         order by e.job, e.place desc
      ), gone as (
        delete from writ_data.job as j
         using final as f
         where j.id = f.job and j.id = any (_ending)
        returning j.*, f.kind as end_kind, f.result as end_result, f.error as end_error
      ), kept as (
        insert into writ_data.job_history (
          id, run_at, enqueued_at, deadline_at, claimed_at, finished_at, worker_id, attempt,
          failures,
          max_attempts, state, priority, unresolved, type, environment, queue, definition_hash,
          subject,
          subject_digest, enqueued_by, actor, idempotency_key, traceparent, payload, last_error,
          result
        )
        select id, run_at, enqueued_at, deadline_at, claimed_at, _now, worker_id, attempt, failures,
               max_attempts,
               case end_kind
                 when 'complete' then 'completed' when 'discard' then 'discarded' else 'cancelled'
               end::writ_data.job_state,
               priority, false, type, environment, queue, definition_hash, subject,
               subject_digest, enqueued_by, actor, idempotency_key, traceparent, payload,
               coalesce(end_error, last_error), end_result
          from gone
      ), old as (
        delete from writ_data.journal as n
         where n.job_id = any (_ending)
        returning n.*
      ), fresh as materialized (
        select distinct on (e.job, e.seq) e.*, j.claimed_at
          from unnest(_entries) as e
          join writ_data.job as j on j.id = e.job and j.id = any (_ending)
         where e.kind in ('intent', 'outcome')
         order by e.job, e.seq, e.place desc
      )
      insert into writ_data.journal_history (
        job_id, intent_at, outcome_at, finished_at, duration_us, seq, attempt, status, step, effect,
        result,
        error_code, outputs, action
      )
      select job_id, intent_at, outcome_at, _now, duration_us, seq, attempt, status, step, effect,
             result,
             error_code, outputs, action
        from old
       where not exists (
               select
                 from fresh
                where fresh.job = old.job_id and fresh.seq = old.seq
                  and (old.outcome_at is null or old.action ->> 'do' = 'again')
             )
      union all
      select f.job,
             case
               when old.job_id is not null and old.outcome_at is null then old.intent_at
               when f.kind = 'intent' then _now
               else greatest(f.claimed_at, _now - coalesce(f.duration_us,
               0) * interval '1 microsecond')
             end,
             case when f.kind = 'outcome' then _now end, _now, f.duration_us, f.seq, f.attempt,
             f.status,
             f.step, f.effect, f.result #>> '{}', f.error_code, f.outputs, f.action
        from fresh as f
        left join old on old.job_id = f.job and old.seq = f.seq
       where old.job_id is null or old.outcome_at is null or old.action ->> 'do' = 'again';
    end if;

    -- Who waited for these?
    for _gate in select * from unnest(_environments, _subjects) as g (environment, type)
    loop
      perform writ_data.unpark_type(_gate.environment, _gate.type, _now);
    end loop;
    if _ending is not null and _has_subjects then
      select array_agg(h.environment), array_agg(h.subject)
        into _environments, _subjects
        from writ_data.job_history as h
       where h.id = any (_ending) and h.finished_at = _now and h.subject is not null;
      if _environments is not null then
        perform writ_data.unpark_subjects(_environments, _subjects, _now);
      end if;
    end if;
  end if;

  return query
    select a.id, h.id is not null, coalesce(h.cancels, false)
      from unnest(_asked) as a (id)
      left join unnest(_ids, _cancels) as h (id, cancels) on h.id = a.id;
end
$$;

-- sweep: what nobody else does. Returns workers of lost leases, their jobs returned, due jobs
-- promoted, jobs unparked, and when the next job falls due. One sweeper at a time; the others
-- return at once.
-- Locks: the row of sweep_state; job rows with skip locked; gates.
-- A due job is looked for from `due_from` on: what the index holds to the left of it was promoted
-- already, and is walked over only once a minute (a transaction that committed late may have put a
-- job there).
create function writ_worker.sweep(max_jobs int)
returns table (lost_workers int, returned int, promoted int, unparked int, next_due_at timestamptz)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
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
  _count int;
  _next timestamptz;
  _queues text[];
  _gate record;
  _environments text[];
  _subjects text[];
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
  ), logged as (
    insert into writ_data.audit_event (occurred_at, event, worker_id, role_name)
    select _now, 'worker_lost', id, session_user from lost
  )
  select count(*) into _lost_count from lost;

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
       where j.state = 'waiting' and j.waiting_reason in ('predecessor',
       'concurrency')  -- the index's words
         and j.waiting_reason = 'predecessor'
         and j.waiting_since >= case when _is_full then '-infinity'
           else _now - interval '15 seconds' end
    ) as distinct_subject;
  if _environments is not null then
    _unparked := writ_data.unpark_subjects(_environments, _subjects, _now);
  end if;
  for _gate in
    select e.name as environment, t.name as type
      from writ_data.environment as e, writ_data.job_type as t
     where exists (
             select
               from writ_data.job as j
              where j.environment = e.name and j.type = t.name and j.state = 'waiting'
                and j.waiting_reason = 'concurrency'
           )
     order by 1, 2
  loop
    perform writ_data.lock_gates(_gate.environment, array[_gate.type]);
    _count := writ_data.unpark_type(_gate.environment, _gate.type, _now);
    _unparked := _unparked + _count;
  end loop;

  if _is_full then
    begin
      set local lock_timeout = '2s';
      perform writ_data.add_partitions(_now);
      perform writ_data.add_partitions(_now + interval '1 month');
      set local lock_timeout = 0;
    exception
      -- The default partitions take the rows until a later sweep finds a quiet moment.
      when lock_not_available or check_violation then null;
    end;
    delete from writ_data.idempotency_key as k
     where k.ctid = any (
             array(
               select old.ctid
                 from writ_data.idempotency_key as old
                where old.created_at < _now - interval '30 days'
                  and not exists (select from writ_data.job as j where j.id = old.job_id)
                limit 1000
             )
           );
  end if;
  -- While more than a batch is due, start where this one ended.
  update writ_data.sweep_state as s
     set due_from = least(coalesce(_next, _now), _now - interval '1 minute'),
         full_at = case when _is_full then _now else s.full_at end;
  if _queues is not null then
    perform writ_data.wake(q) from (select distinct unnest(_queues) as q) as queues
      where q is not null;
  end if;
  return query select _lost_count, _returned, _promoted, _unparked, _next;
end
$$;

grant execute on all functions in schema writ_worker to writ_worker;
