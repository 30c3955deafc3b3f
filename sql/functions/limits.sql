-- limits.sql: how many jobs may run, and how many may start, over all workers. docs/limits.md tells
-- the same to people. Lock order: claim.sql.

-- The limits that hold now: of each type in each environment what an administrator set there, or
-- else what the definition says; while a circuit of one of its targets is open, one start in a pause at
-- most (and `lasting_…` without that); and, without a type, of an environment as a whole.
create or replace view writ_data.limit_in_force as
select l.environment, l.type, l.concurrency,
       case when c.pause is null then l.rate_limit else 1 end as rate_limit,
       case when c.pause is null then l.rate_period
         else greatest(c.pause, l.rate_period / l.rate_limit) end as rate_period,
       l.rate_limit as lasting_rate_limit, l.rate_period as lasting_rate_period
  from (
    select e.name as environment, t.name as type,
           case when s.type is null then t.concurrency else s.concurrency end as concurrency,
           case when s.type is null then t.rate_limit else s.rate_limit end as rate_limit,
           case when s.type is null then t.rate_period else s.rate_period end as rate_period
      from writ_data.environment as e
     cross join writ_data.job_type as t
      left join writ_data.limit_setting as s on s.environment = e.name and s.type = t.name
  ) as l
  left join (
    select o.environment, t.name as type, max(o.pause) as pause
      from writ_data.circuit as o
      join writ_data.job_type as t on o.target = any (t.targets)
     group by o.environment, t.name
  ) as c on c.environment = l.environment and c.type = l.type
 where coalesce(l.concurrency, l.rate_limit) is not null or c.pause is not null
union all
select environment, type, concurrency, rate_limit, rate_period, rate_limit, rate_period
  from writ_data.limit_setting
 where type = '' and coalesce(concurrency, rate_limit) is not null;

-- How many starts a rate may save up: a tenth of its limit, but at least two, so that a worker that
-- comes a moment late does not lose any; one where the limit is one.
create or replace function writ_data.burst(rate_limit int) returns int
language sql immutable
return case
  when rate_limit is not null then greatest((rate_limit + 9) / 10, least(rate_limit, 2))
end;

-- lock_gates: who counts what runs or has started under these limits goes through their gates. Who
-- holds no gate and no slot waits for them, in their order; who holds some already only tries.
-- Returns whether it got them all.
drop function if exists writ_data.lock_gates(text, text[]);
create or replace function writ_data.lock_gates(environment text, types text[], waits boolean)
returns boolean
language plpgsql
as $$
#variable_conflict use_column
begin
  if not $3 then
    -- Rows are there: they are made with their limit, and the sweeper looks again. To make one here
    -- might have to wait.
    return cardinality($2) = (
      select count(*)
        from (
          select
            from writ_data.gate as g
           where g.environment = $1 and g.type = any ($2)
             for update skip locked
        ) as held
    );
  end if;
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
  return true;
end
$$;

-- make_gates: the gates that are missing, so that a claim that must not wait finds them; also of every
-- type that calls a target, whose circuit may open at any time.
create or replace function writ_data.make_gates() returns void
language plpgsql
as $$
begin
  insert into writ_data.gate (environment, type)
  select l.environment, l.type
    from (
      select f.environment, f.type from writ_data.limit_in_force as f
      union
      select e.name, t.name
        from writ_data.environment as e
       cross join writ_data.job_type as t
       where t.targets <> '{}'
    ) as l
   where not exists (
           select from writ_data.gate as g where g.environment = l.environment and g.type = l.type
         )
   order by l.environment, l.type
  on conflict do nothing;
end
$$;

-- room: what these limits of an environment leave, exact for who holds their gates: how many more
-- may run, how many may start now (null: any number), and from when on enough may start to be worth
-- another claim. `granted` are jobs that the caller starts in this transaction.
-- A rate is a bucket of `burst` tokens that one start each empties, and `spacing` apart fills again
-- (the generic cell rate algorithm: `used_until` is when it will be full). Bounded by now, because
-- the clock may be set back and the rate may have changed.
create or replace function writ_data.room(
  environment text, types text[], granted bigint[], now timestamptz
) returns table (
  type text, may_run bigint, may_start bigint, starts_at timestamptz, used_until timestamptz,
  spacing interval
)
language plpgsql
as $$
#variable_conflict use_column
begin
  return query
    select l.type,
           case
             when l.concurrency is null then null
             when l.type = '' then l.concurrency - cardinality($3) - (
               select count(*)
                 from writ_data.job as j
                where j.environment = $1 and j.state = 'running' and j.is_limited
             )
             else l.concurrency - (
               select count(*)
                 from writ_data.job as j
                where j.environment = $1 and j.type = l.type
                  and j.state = 'running' and j.is_limited
             ) - (
               select count(*) from writ_data.job as j where j.id = any ($3) and j.type = l.type
             )
           end,
           floor(
             r.burst - extract(epoch from b.used_until - $4) / extract(epoch from r.spacing) + 1e-6
           )::bigint,
           b.used_until - r.spacing * (
             r.burst - least(
               greatest(floor(0.05 / extract(epoch from r.spacing)), 1), (r.burst + 1) / 2
             )::double precision
           ),
           b.used_until, r.spacing
      from writ_data.limit_in_force as l
      left join lateral (
             select writ_data.burst(l.rate_limit) as burst,
                    greatest(l.rate_period / l.rate_limit, interval '1 microsecond') as spacing
              where l.rate_limit is not null
           ) as r on true
      left join lateral (
             select least(
                      greatest((select g.rate_used_until from writ_data.gate as g
                                 where g.environment = $1 and g.type = l.type), $4),
                      $4 + r.burst * r.spacing
                    ) as used_until
              where r.burst is not null
           ) as b on true
     where l.environment = $1 and l.type = any ($2);
end
$$;

-- parked_types: the types that have jobs of this queue parked by a limit.
-- Index: job_parked, one probe a type. As a limited join, because `exists` may become a join that
-- reads all parked jobs first.
create or replace function writ_data.parked_types(environment text, queue text) returns text[]
language plpgsql
as $$
#variable_conflict use_column
begin
  return array(
    select t.name
      from writ_data.job_type as t,
           lateral (
             select true
               from writ_data.job as j
              where j.environment = $1 and j.type = t.name and j.queue = $2
                and j.state = 'waiting' and j.waiting_reason in ('concurrency', 'rate')
              limit 1
           ) as parked
     order by t.name
  );
end
$$;

-- take_parked: up to max_jobs parked jobs of a queue that may start now, held by the caller, by
-- priority and number. They stay parked until the claim starts them: nothing is written about a job
-- that has to go on waiting.
-- Locks: none while nothing may start; else the gates of the types in question (`gates`), then job
-- rows with skip locked.
-- Index: job_parked, as many entries as may start.
create or replace function writ_data.take_parked(
  environment text, queue text, max_jobs int, now timestamptz, out ids bigint[], out gates text[]
)
language plpgsql
as $$
#variable_conflict use_column
declare
  _types text[] := writ_data.parked_types($1, $2);
  _names text[];
  _places bigint[];
  _all bigint;
begin
  ids := '{}';
  gates := '{}';
  if _types = '{}' then
    return;
  end if;
  -- Twice: idle workers ask often, and only who finds room waits at a gate, then looks again.
  for _round in 1..2
  loop
    if _round = 2 then
      gates := array(
        select name from unnest(_names) as name where name = '' or name = any (_types)
      );
      perform writ_data.lock_gates($1, gates, true);
      now := clock_timestamp();
    end if;
    select array_agg(r.type), array_agg(least(r.may_run, r.may_start))
      into _names, _places
      from writ_data.room($1, _types || array[''], '{}', now) as r;
    _all := _places[array_position(_names, '')];
    _types := array(
      select name from unnest(_types) as name
             where coalesce(_places[array_position(_names, name)], 1) > 0
    );
    if _all <= 0 or _types = '{}' then
      return;
    end if;
  end loop;
  ids := array(
    select c.id
      from unnest(_types) as t (name),
           lateral (
             select j.id, j.priority
               from writ_data.job as j
              where j.environment = $1 and j.type = t.name and j.queue = $2
                and j.state = 'waiting' and j.waiting_reason in ('concurrency', 'rate')
              order by j.priority, j.id
              limit least(_places[array_position(_names, t.name)], _all, $3)
                for update skip locked
           ) as c
     order by c.priority, c.id
     limit least(_all, $3)
  );
end
$$;

-- next_start: when a claim of this queue is worth while again, for the jobs that a rate holds back;
-- null when there are none, or they wait for the end of another job as well.
create or replace function writ_data.next_start(environment text, queue text, now timestamptz)
returns timestamptz
language plpgsql
as $$
#variable_conflict use_column
declare
  _types text[] := writ_data.parked_types($1, $2);
begin
  if _types = '{}' then
    return null;
  end if;
  return (
    with room as materialized (
      select r.* from writ_data.room($1, _types || array[''], '{}', $3) as r
    )
    select min(greatest(r.starts_at, e.starts_at))
      from unnest(_types) as name
      left join room as r on r.type = name
      left join room as e on e.type = ''
     where coalesce(least(r.may_run, e.may_run), 1) > 0
  );
end
$$;

-- count_running: what runs already counts against a limit that was set meanwhile. A claim that
-- began before the setting was committed may leave jobs out; the sweeper counts them within a
-- second.
create or replace function writ_data.count_running(environment text, type text) returns void
language plpgsql
as $$
#variable_conflict use_column
begin
  with running as materialized (
    select j.id
      from writ_data.job as j
     where j.state = 'running' and not j.is_limited
       and j.environment = $1 and ($2 = '' or j.type = $2)
     order by j.id
       for update
  )
  update writ_data.job as j
     set is_limited = true
   where j.id = any (array(select id from running)) and j.state = 'running';
end
$$;

-- unpark_lifted: parked jobs that no limit holds any more get a place in front of the line.
create or replace function writ_data.unpark_lifted(max_jobs int, now timestamptz) returns int
language plpgsql
as $$
#variable_conflict use_column
declare
  _count int;
  _queues text[];
begin
  with held as materialized (
    select c.id, c.priority
      from writ_data.environment as e, writ_data.job_type as t,
           lateral (
             select j.id, j.priority
               from writ_data.job as j
              where j.environment = e.name and j.type = t.name
                and j.state = 'waiting' and j.waiting_reason in ('concurrency', 'rate')
              limit $1
                for update skip locked
           ) as c
     where not exists (
             select
               from writ_data.limit_in_force as l
              where l.environment = e.name and l.type in ('', t.name)
           )
     limit $1
  ), place as materialized (
    -- The last one draws first: the front lane goes down.
    select id, -nextval('writ_data.claim_order') as claim_order
      from (select id from held order by id desc) as h
  ), before as materialized (
    select j.id, j.waiting_reason from writ_data.job as j
           where j.id = any (array(select id from held))
  ), changed as (
    update writ_data.job as j
       set state = 'available', waiting_reason = null, waiting_since = null,
           claim_order = p.claim_order
      from place as p
     where j.id = p.id
    returning j.*
  ), logged as (
    insert into writ_data.audit_event (
      occurred_at, event, job_id, attempt, type, environment, from_state, to_state, waiting_reason,
      role_name, subject_digest
    )
    select $2, 'unparked', c.id, c.attempt, c.type, c.environment, 'waiting', 'available',
           b.waiting_reason, session_user, c.subject_digest
      from changed as c
      join before as b on b.id = c.id
     order by c.id
  )
  select count(*), array_agg(distinct queue) into _count, _queues from changed;
  perform writ_data.wake(queue) from unnest(_queues) as queue;
  return _count;
end
$$;

-- Refuses with WR003: a parameter of set_limit or clear_limit.
create or replace function writ_data.refuse_limit(field text, rule text, hint text) returns void
language plpgsql
as $$
begin
  raise exception using
    errcode = 'WR003', column = field, message = 'limit: ' || rule, hint = hint;
end
$$;

-- limit_place: whose limit is meant, checked: no environment is the default one, no type all types
-- together.
create or replace function writ_data.limit_place(
  inout environment text, inout type text
)
language plpgsql stable
as $$
#variable_conflict use_variable
declare
  _environment text := environment;
begin
  select e.name
    into environment
    from writ_data.environment as e
   where case when _environment is null then e.is_default else e.name = _environment end;
  if environment is null then
    raise exception using
      errcode = 'WR004', column = 'environment', message = 'limit: environment is not known',
      hint = 'The view writ.environment lists the environments.';
  end if;
  if type is not null and not exists (select from writ_data.job_type as t where t.name = type) then
    raise exception using
      errcode = 'WR002', column = 'type', message = 'limit: the job type is not known',
      hint = 'The view writ.job_type lists the job types; null means all of them together.';
  end if;
  type := coalesce(type, '');
end
$$;

create or replace function writ_data.note_limit(environment text, type text, recorded jsonb)
returns void
language plpgsql
as $$
begin
  insert into writ_data.audit_event (
    occurred_at, event, type, environment, role_name, actor, recorded
  )
  values (
    clock_timestamp(), 'limit_changed', nullif($2, ''), $1, writ_data.caller(),
    writ_data.actor(), $3
  );
end
$$;

-- set_limit: from now on this many jobs of a type run at once, and this many start in `per`, in
-- this environment; without a type, of all types together. Stands in place of what the definition
-- says: a number that is null is no limit. A concurrency of 0 lets none start.
-- Returns whether anything changed.
create or replace function writ.set_limit(
  type text default null, environment text default null, concurrency int default null,
  rate int default null, per interval default null
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
#variable_conflict use_variable
declare
  _place record;
begin
  _place := writ_data.limit_place(environment, type);
  if concurrency not between 0 and 100000 then
    perform writ_data.refuse_limit(
      'concurrency', 'concurrency must be from 0 to 100000', 'Null means any number; 0 lets none start.'
    );
  end if;
  if rate not between 1 and 100000 then
    perform writ_data.refuse_limit(
      'rate', 'rate must be from 1 to 100000', 'Null means any number; concurrency 0 lets none start.'
    );
  end if;
  if (rate is null) <> (per is null)
    or per not between interval '1 millisecond' and interval '31 days'
  then
    perform writ_data.refuse_limit(
      'per', 'rate and per belong together, and per is from 1 millisecond to 31 days',
      'For example rate => 10, per => ''1 second''.'
    );
  end if;
  if per / rate < interval '1 microsecond' then
    perform writ_data.refuse_limit(
      'rate', 'rate must not be more than one job a microsecond', 'Leave the rate out for no limit.'
    );
  end if;
  insert into writ_data.limit_setting as s (
    environment, type, concurrency, rate_limit, rate_period, changed_at, changed_by
  )
  values (
    _place.environment, _place.type, concurrency, rate, per, clock_timestamp(), writ_data.caller()
  )
  on conflict on constraint limit_setting_pkey do update
     set concurrency = excluded.concurrency, rate_limit = excluded.rate_limit,
         rate_period = excluded.rate_period, changed_at = excluded.changed_at,
         changed_by = excluded.changed_by
   where (s.concurrency, s.rate_limit, s.rate_period)
         is distinct from (excluded.concurrency, excluded.rate_limit, excluded.rate_period);
  if not found then
    return false;
  end if;
  perform writ_data.make_gates();
  if concurrency is not null then
    perform writ_data.count_running(_place.environment, _place.type);
  end if;
  perform writ_data.note_limit(
    _place.environment, _place.type,
    jsonb_build_object(
      'concurrency', concurrency, 'rate', rate, 'per_seconds', extract(epoch from per)
    )
  );
  return true;
end
$$;

-- clear_limit: what the definition says holds again; for an environment as a whole, nothing.
-- Returns whether there was a setting.
create or replace function writ.clear_limit(type text default null, environment text default null)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
#variable_conflict use_variable
declare
  _place record;
begin
  _place := writ_data.limit_place(environment, type);
  delete from writ_data.limit_setting as s
   where s.environment = _place.environment and s.type = _place.type;
  if not found then
    return false;
  end if;
  if _place.type <> '' then
    perform writ_data.count_running(_place.environment, _place.type);
  end if;
  perform writ_data.note_limit(_place.environment, _place.type, '{"cleared": true}');
  return true;
end
$$;

create or replace view writ.limit as
select environment, nullif(type, '') as type, concurrency, rate_limit as rate, rate_period as per,
       burst, is_set, changed_at, changed_by,
       (
         select count(*)
           from writ_data.job as j
          where j.environment = limits.environment and (limits.type = '' or j.type = limits.type)
            and j.state = 'running'
       ) as running,
       (
         select count(*)
           from writ_data.job as j
          where j.environment = limits.environment and (limits.type = '' or j.type = limits.type)
            and j.state = 'waiting' and j.waiting_reason in ('concurrency', 'rate')
       ) as parked
  from (
    select l.environment, l.type, l.concurrency, l.lasting_rate_limit as rate_limit,
           l.lasting_rate_period as rate_period,
           -- burst, spelled out: a view calls functions with the rights of its reader.
           case
             when l.lasting_rate_limit is not null
             then greatest((l.lasting_rate_limit + 9) / 10, least(l.lasting_rate_limit, 2))
           end as burst,
           s.type is not null as is_set, s.changed_at,
           s.changed_by
      from writ_data.limit_in_force as l
      left join writ_data.limit_setting as s on s.environment = l.environment and s.type = l.type
     where coalesce(l.concurrency, l.lasting_rate_limit) is not null
    union all
    select s.environment, s.type, null, null, null, null, true, s.changed_at, s.changed_by
      from writ_data.limit_setting as s
     where coalesce(s.concurrency, s.rate_limit) is null
  ) as limits;
comment on view writ.limit
  is 'What limits how many jobs run and start; a row without numbers lifts what a definition says.';

grant select on writ.limit to writ_admin, writ_auditor;
grant execute on function
  writ.set_limit(text, text, int, int, interval), writ.clear_limit(text, text)
to writ_admin;
