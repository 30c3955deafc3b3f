-- claim.sql: how jobs are claimed, parked and unparked.
-- Lock order, the same in all files: job rows (by id; what is only wanted, not held, with skip
-- locked), then gates (by environment and type), then slots (by subject). A claim may take job rows
-- also behind a gate, because it skips the locked ones and waits for none; and it waits for gates
-- once, while it holds no gate and no slot: later ones it only tries. Workers wait for each other only at a gate or a slot, and those are held
-- for the rest of a short transaction. Producers take none of these locks.

-- unpark_subjects: the next job of each of these subjects becomes available, if it only waited for
-- its turn.
-- Next is the lowest id that is not scheduled for later. Skips a row that somebody holds: if a claim
-- is parking it, its worker looks again (writ_worker.unpark); if that worker dies, the sweeper does.
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
                and j.state <> 'scheduled' and j.waiting_reason is distinct from 'batch'
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

drop function if exists writ_data.unpark_type(text, text, timestamptz);
drop function if exists writ_data.admit(bigint[], text, bigint, timestamptz, bigint[]);

-- park: jobs whose rows the caller holds have to wait.
create or replace function writ_data.park(
  ids bigint[], reason writ_data.waiting_reason, worker_id bigint, now timestamptz
) returns void
language plpgsql
as $$
#variable_conflict use_column
begin
  with before as materialized (
    select j.id, j.state from writ_data.job as j where j.id = any ($1)
  ), changed as (
    update writ_data.job as j
       set state = 'waiting', waiting_reason = $2, waiting_since = $4, claim_order = null
     where j.id = any ($1)
    returning j.*
  )
  insert into writ_data.audit_event (
    occurred_at, event, job_id, worker_id, attempt, type, environment, from_state, to_state,
    waiting_reason, role_name, subject_digest
  )
  select $4, 'parked', c.id, $3, c.attempt, c.type, c.environment, b.state, 'waiting', $2,
         session_user, c.subject_digest
    from changed as c
    join before as b on b.id = c.id
   order by c.id;
end
$$;

-- admit_subjects: which of these jobs, held by the caller, may start as far as their subjects are
-- concerned; the others are parked. A job with a subject starts when no earlier job of that subject
-- is unfinished and nobody holds the subject's slot. Earlier jobs that are scheduled for later, or
-- wait for their batch, do not stand in the way. `started` are those whose slot was taken just now,
-- `blocked` those that were parked.
drop function if exists writ_data.admit_subjects(bigint[], text, bigint, timestamptz);
create or replace function writ_data.admit_subjects(
  inout ids bigint[], environment text, worker_id bigint, now timestamptz, out started bigint[],
  out blocked bigint[]
)
language plpgsql
as $$
#variable_conflict use_column
declare
  _owned bigint[];
begin
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
                and earlier.waiting_reason is distinct from 'batch'
           )
       -- Also who seems to hold the slot while an open transaction gives it up: an insert would wait
       -- for that transaction.
       and not exists (
             select from writ_data.subject_slot as s
              where s.environment = j.environment and s.subject = j.subject
           )
     order by j.subject
  ), made as (
    insert into writ_data.subject_slot as s (environment, subject, job_id)
    select $2, subject, id from wanted order by subject
    on conflict do nothing
    returning s.job_id
  )
  select array_agg(job_id) into started from made;
  select array_agg(j.id)
    into blocked
    from writ_data.job as j
   where j.id = any ($1) and j.subject is not null
     and j.id <> all (coalesce(_owned, '{}') || coalesce(started, '{}'));
  if blocked is not null then
    perform writ_data.park(blocked, 'predecessor', $3, $4);
    ids := array(
      select id from unnest($1) with ordinality as i (id, place)
             where id <> all (blocked)
             order by place
    );
  end if;
end
$$;

-- admit_limits: which of these jobs may start under the limits of these types (and of the
-- environment, ''), whose gates the caller holds. Under each limit the first ones by priority and
-- number start, whether they are in the line or were parked before; so nobody is passed over for
-- ever by others of his priority. Who is over a limit is parked with the reason that stopped him,
-- or stays parked. Takes the tokens of those that start.
-- `granted` are jobs that this claim has admitted already.
create or replace function writ_data.admit_limits(
  ids bigint[], environment text, types text[], worker_id bigint, now timestamptz, granted bigint[]
) returns bigint[]
language plpgsql
as $$
#variable_conflict use_column
declare
  _at constant timestamptz := clock_timestamp();
  _over bigint[];
  _slow bigint[];
  _busy bigint[];
  _is_paced boolean;
begin
  with room as materialized (
    select r.* from writ_data.room($2, $3, $6, _at) as r
  ), of_type as materialized (
    select c.id, c.priority, c.state,
           case
             when c.place > r.may_run then 'concurrency'
             when c.place > r.may_start then 'rate'
           end as reason
      from (
        select j.id, j.type, j.priority, j.state,
               row_number() over (partition by j.type order by j.priority, j.id) as place
          from writ_data.job as j
         where j.id = any ($1)
      ) as c
      left join room as r on r.type = c.type
  ), decided as (
    select t.id, t.state,
           coalesce(
             t.reason,
             case
               when t.place > r.may_run then 'concurrency'
               when t.place > r.may_start then 'rate'
             end
           ) as reason
      from (
        select o.*, row_number() over (partition by o.reason order by o.priority, o.id) as place
          from of_type as o
      ) as t
      left join room as r on r.type = ''
  )
  select array_agg(id), array_agg(id) filter (where reason = 'concurrency' and state = 'available'),
         array_agg(id) filter (where reason = 'rate' and state = 'available'),
         (select bool_or(r.spacing is not null) from room as r)
    into _over, _busy, _slow, _is_paced
    from decided
   where reason is not null;
  if _busy is not null then
    perform writ_data.park(_busy, 'concurrency', $4, $5);
  end if;
  if _slow is not null then
    perform writ_data.park(_slow, 'rate', $4, $5);
  end if;
  if _over is not null then
    ids := array(
      select id from unnest($1) with ordinality as i (id, place)
             where id <> all (_over)
             order by place
    );
  end if;
  if not _is_paced then
    return ids;
  end if;
  update writ_data.gate as g
     set rate_used_until = taken.used_until + taken.starts * taken.spacing
    from (
      select r.type, r.used_until, r.spacing,
             (
               select count(*)
                 from writ_data.job as j
                where j.id = any (ids) and (r.type = '' or j.type = r.type)
             ) as starts
        from writ_data.room($2, $3, '{}', _at) as r
       where r.spacing is not null
    ) as taken
   where g.environment = $2 and g.type = taken.type and taken.starts > 0;
  return ids;
end
$$;

-- claim: up to max_jobs jobs of a queue in an environment become running, for this worker.
-- Order: priority, then what was parked by a limit and may start now, then the front lane (what
-- came back), then the place in the line beyond lower_bounds[priority + 1], the worker's cursor.
-- The naive `order by … limit` from the left end walks over every entry of a claimed job for as
-- long as anybody holds a snapshot, and falls to a tenth of its speed in minutes; from the cursor
-- it does not.
-- Locks: gates of what was parked, job rows with skip locked, then gates of the rest, then slots, then
-- the worker's own row, shared. Where no limit is in force, no gate.
-- Refuses with SQLSTATE 55000 when the lease has ended while it waited; nothing is taken then.
-- Index: job_available, one range a lane; the settings below keep any plan from walking elsewhere,
-- also one that was made when the table was empty. They make plans look dear, so JIT compilation
-- has to be off too.
-- Returns: one row a claimed job, in the order of the claim, or a single row without an id. Every
-- row carries the snapshot by which the worker judges how far its cursor is safe, whether nothing
-- is left beyond the bounds (`exhausted`; never when the lease has ended), how far in each priority
-- jobs left the line to be parked (`parked`: [[priority, claim_order], …]), if a rate holds
-- jobs back, in how many seconds another claim is worth while, and which jobs were parked behind a
-- predecessor (`blocked`), to be passed to writ_worker.unpark once this is committed.
-- `unresolved` is the value before this claim. A job that was parked has no place in the line; its
-- claim_order is negative, as for what came back.
drop function if exists writ_worker.claim(bigint, text, text, int, bigint[]);
create or replace function writ_worker.claim(
  worker_id bigint, queue text, environment text, max_jobs int, lower_bounds bigint[]
) returns table (
  id bigint, type text, definition_hash text, payload jsonb, subject text, attempt int,
  failures int,
  max_attempts int, unresolved boolean, past_deadline boolean, past_action_deadline boolean,
  cancel_requested boolean,
  traceparent text,
  priority smallint, claim_order bigint, enqueued_at timestamptz, journal jsonb,
  exhausted boolean, snapshot_xmin bigint, snapshot_xmax bigint, parked jsonb,
  next_start_in double precision, blocked bigint[]
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
  _parked bigint[] := '{}';
  _places writ_data.place_in_line[];
  _left jsonb := '[]';
  _admitted bigint[];
  _started bigint[];
  _parked_now bigint[];
  _blocked bigint[] := '{}';
  _granted bigint[] := '{}';
  _is_limited boolean;
  _is_paced boolean := false;
  _limits text[];
  _counts text[] := '{}';
  _has_subjects boolean;
  _has_slots boolean := false;
  _gates text[] := '{}';
  _types text[];
  _exhausted boolean := false;
  _is_last boolean := false;
  _next double precision;
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
    _is_limited := exists (
        select from writ_data.job_type as t
         where coalesce(t.concurrency, t.rate_limit) is not null
      ) or exists (select from writ_data.limit_setting as s where s.environment = $3)
      or exists (select from writ_data.circuit as c where c.environment = $3);
    if _is_limited then
      select count(*) > 0, bool_or(l.rate_limit is not null), array_agg(l.type),
             array_agg(l.type) filter (where l.concurrency is not null)
        into _is_limited, _is_paced, _limits, _counts
        from writ_data.limit_in_force as l
       where l.environment = $3;
    end if;
    if _is_limited then
      select t.ids, t.gates into _parked, _gates
        from writ_data.take_parked($3, $2, _wanted, _now) as t;
    end if;
    -- A round that had to park jobs looks again behind them, a bounded number of times.
    while _round < 20 and _wanted > 0
    loop
      _round := _round + 1;
      select array_agg(c.id order by c.priority, c.place, c.turn),
             array_agg((c.priority, c.claim_order, c.id)::writ_data.place_in_line)
               filter (where c.claim_order is not null),
             bool_or(c.subject is not null), count(*) < _wanted
        into _found, _places, _has_subjects, _exhausted
        from (
          select * from (
            select p.id, j.priority::int as priority, 0 as place, p.turn, j.subject,
                   null::bigint as claim_order
              from unnest(_parked) with ordinality as p (id, turn)
              join writ_data.job as j on j.id = p.id
            union all
            select l.id, l.priority, l.place, row_number() over () as turn, l.subject,
                   l.claim_order
              from (
                select candidate.id, lane.priority, lane.place, candidate.subject,
                       candidate.claim_order
                  from (
                    select p.priority, lane.place, lane.low, lane.high
                      from generate_series(0, 9) as p (priority),
                           lateral (
                             values (1, _low, 0::bigint), (2, _bounds[p.priority + 1], _high)
                           ) as lane (place, low, high)
                     order by p.priority, lane.place
                  ) as lane,
                  lateral (
                    select j.id, j.subject, j.claim_order
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
              ) as l
          ) as both_kinds
           order by priority, place, turn
           limit _wanted
        ) as c;
      exit when _found is null;
      _admitted := _found;
      _types := '{}';
      if _is_limited then
        _types := array(
          select name
            from unnest(_limits) as name
           where name = '' or name in (
                   select j.type from writ_data.job as j where j.id = any (_found)
                 )
        );
        if not _types <@ _gates then
          if writ_data.lock_gates($3, _types, _gates = '{}' and not _has_slots) then
            _gates := _gates || _types;
          else
            -- Another claim is busy there: jobs under those gates stay in the line, and the next
            -- claim of this worker looks again.
            _is_last := true;
            select array_agg(f.id order by f.place), bool_or(j.subject is not null)
              into _found, _has_subjects
              from unnest(_found) with ordinality as f (id, place)
              join writ_data.job as j on j.id = f.id
             where not array[j.type, ''] && array(
                     select name from unnest(_types) as name where name <> all (_gates)
                   );
            exit when _found is null;
            _admitted := _found;
            _places := array(
              select p from unnest(_places) as p where p.id = any (_found)
            );
            _types := array(select name from unnest(_types) as name where name = any (_gates));
          end if;
        end if;
      end if;
      _started := null;
      if _has_subjects then
        select a.ids, a.started, a.blocked
          into _admitted, _started, _parked_now
          from writ_data.admit_subjects(_found, $3, $1, _now) as a;
        _has_slots := true;
        _blocked := _blocked || coalesce(_parked_now, '{}');
      end if;
      if _types <> '{}' then
        _admitted := writ_data.admit_limits(_admitted, $3, _types, $1, _now, _granted);
        if _started is not null then
          delete from writ_data.subject_slot as s
           using writ_data.job as j
           where j.id = any (_started) and j.id <> all (_admitted)
             and s.environment = j.environment and s.subject = j.subject and s.job_id = j.id;
        end if;
      end if;
      if cardinality(_admitted) < cardinality(_found) then
        _left := _left || coalesce(
          (
            select jsonb_agg(jsonb_build_array(p.priority, p.claim_order))
              from (
                select l.priority, max(l.claim_order) as claim_order
                  from unnest(_places) as l
                 where l.id <> all (_admitted) and l.claim_order > 0
                 group by l.priority
              ) as p
          ),
          '[]'
        );
      end if;
      _parked := '{}';
      _granted := _granted || _admitted;
      _wanted := _wanted - cardinality(_admitted);
      exit when _exhausted or _is_last;
    end loop;
    _exhausted := _exhausted and not _is_last;
    if _is_paced and _wanted > 0 then
      _next := extract(
        epoch from writ_data.next_start($3, $2, clock_timestamp()) - clock_timestamp()
      );
    end if;
  end if;

  if _granted = '{}' then
    return query
      select null::bigint, null, null, null::jsonb, null, null::int, null::int, null::int,
             null::boolean, null::boolean,
             null::boolean, null::boolean, null, null::smallint, null::bigint, null::timestamptz,
             null::jsonb, _exhausted, pg_snapshot_xmin(s)::text::bigint,
             pg_snapshot_xmax(s)::text::bigint, nullif(_left, '[]'), _next,
             nullif(_blocked, '{}')
        from pg_current_snapshot() as s;
    return;
  end if;

  -- Anew, because a gate or a slot may have been waited for: nobody may seem to start before his
  -- predecessor ended. And a worker whose lease has ended meanwhile may have been swept already:
  -- what it took then, no sweep would find. The sweeper waits for this row, and looks afterwards.
  _now := clock_timestamp();
  perform
     from writ_data.worker as w
    where w.id = $1 and w.state = 'live' and w.lease_expires_at > _now
      for share;
  if not found then
    raise exception using
      errcode = '55000', message = 'claim: the lease of the worker has ended',
      hint = 'Register anew.';
  end if;
  return query
    with place as (
      select g.id, g.place, old.unresolved, old.claim_order, old.state
        from unnest(_granted) with ordinality as g (id, place)
        join writ_data.job as old on old.id = g.id
    ), taken as (
      update writ_data.job as j
         set state = 'running', attempt = j.attempt + 1, unresolved = true, worker_id = $1,
             claimed_at = _now, claim_order = null, waiting_reason = null, waiting_since = null,
             is_limited = coalesce(j.type = any (_counts) or '' = any (_counts), false)
        from place
       where j.id = place.id
      returning j.*, place.place, place.unresolved as was_unresolved,
                coalesce(place.claim_order, -1) as old_order, place.state as old_state
    ), logged as (
      insert into writ_data.audit_event (
        occurred_at, event, job_id, worker_id, attempt, type, environment, from_state, to_state,
        role_name,
        subject_digest
      )
      select _now, 'claimed', t.id, $1, t.attempt, t.type, t.environment, t.old_state, 'running',
             session_user, t.subject_digest
        from taken as t
       order by t.place
    )
    select t.id, t.type, t.definition_hash, t.payload::jsonb, t.subject, t.attempt::int,
           t.failures::int,
           t.max_attempts::int, t.was_unresolved, coalesce(t.deadline_at <= _now, false),
           coalesce(t.action_deadline_at <= _now, false),
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
           _exhausted, pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint,
           nullif(_left, '[]'), _next, nullif(_blocked, '{}')
      from taken as t, pg_current_snapshot() as s
     order by t.place;
end
$$;

grant execute on function writ_worker.claim(bigint, text, text, int, bigint[]) to writ_worker;

-- unpark: whether what these jobs waited for has ended while they were being parked; then they are
-- available. For a worker, after a claim that parked jobs behind a predecessor.
-- Who ends a job makes the next of its subject available, but does not see one that a claim is just
-- parking; and that claim still sees the job that is ending. So one of the two has to look again
-- after both are committed. This one does: it waits for whoever is writing about the running
-- predecessor at this moment, and then looks. Who begins to write later sees the parked job.
-- Locks: running jobs, by id, for key share, at most half a second; then job rows with skip locked.
-- Index: job_subject, one entry a subject.
-- Returns: how many became available.
create or replace function writ_worker.unpark(ids bigint[]) returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  _environments text[];
  _subjects text[];
  _running bigint[];
begin
  select array_agg(s.environment), array_agg(s.subject)
    into _environments, _subjects
    from (
      select distinct j.environment, j.subject
        from writ_data.job as j
       where j.id = any ($1)
         and j.state::text = 'waiting' and j.waiting_reason = 'predecessor'
    ) as s;
  if _environments is null then
    return 0;
  end if;
  _running := array(
    select first.id
      from unnest(_environments, _subjects) as s (environment, subject),
           lateral (
             select j.id, j.state
               from writ_data.job as j
              where j.environment = s.environment and j.subject = s.subject
                and j.state <> 'scheduled' and j.waiting_reason is distinct from 'batch'
              order by j.id
              limit 1
           ) as first
     where first.state = 'running'
  );
  perform from writ_data.job as j where j.id = any (_running) order by j.id for key share;
  return writ_data.unpark_subjects(_environments, _subjects, clock_timestamp());
end
$$;

grant execute on function writ_worker.unpark(bigint[]) to writ_worker;
