-- schedule.sql: jobs that are ordered by the clock. docs/schedules.md tells the rules.
-- One source of truth: the program reads cron expressions (Sources/Arazzo/CronExpression.swift) into
-- sets of numbers; which moment comes next is decided here, with the database's clock and its time
-- zones.
-- No double firing: a firing locks the schedule's row, orders the job and moves next_fire_at on, all
-- in one transaction; workers that come meanwhile skip the row. A crash undoes all three.

-- The first wall time after `after` that the fields mean; null when there is none in 45 years (the
-- 29th of February on one day of the week comes back within 40).
create or replace function writ_data.next_wall_time(
  minutes int[], hours int[], days int[], is_last_day boolean, months int[], weekdays int[],
  matches_either_day boolean, after timestamp
) returns timestamp
language plpgsql immutable
as $$
#variable_conflict use_variable
declare
  _time timestamp := date_trunc('minute', after) + interval '1 minute';
  _limit constant timestamp := after + interval '45 years';
  _is_day boolean;
  _is_weekday boolean;
  _hour int;
  _minute int;
begin
  while _time < _limit loop
    if extract(month from _time)::int <> all (months) then
      _time := date_trunc('month', _time) + interval '1 month';
      continue;
    end if;
    _is_day := extract(day from _time)::int = any (days)
      or is_last_day and extract(month from _time + interval '1 day') <> extract(month from _time);
    _is_weekday := extract(dow from _time)::int = any (weekdays);
    if _is_day and _is_weekday or matches_either_day and (_is_day or _is_weekday) then
      select min(h) into _hour from unnest(hours) as h where h >= extract(hour from _time);
      if _hour > extract(hour from _time) then
        return date_trunc('day', _time) + make_interval(hours => _hour,
          mins => (select min(m) from unnest(minutes) as m));
      elsif _hour is not null then
        select min(m) into _minute from unnest(minutes) as m where m >= extract(minute from _time);
        if _minute is not null then
          return date_trunc('hour', _time) + make_interval(mins => _minute);
        end if;
        _time := date_trunc('hour', _time) + interval '1 hour';
        continue;
      end if;
    end if;
    _time := date_trunc('day', _time) + interval '1 day';
  end loop;
  return null;
end
$$;

-- The moment at which clocks in a zone first show a wall time; where they skip it, the moment at
-- which they skip. PostgreSQL's own conversion reads a skipped time as later by the gap, and a
-- doubled one as the second.
create or replace function writ_data.moment_of(wall timestamp, zone text) returns timestamptz
language plpgsql stable
as $$
declare
  _utc constant timestamptz := wall at time zone 'UTC';
  -- No zone is a day from UTC, and none changes twice in two days.
  _before constant interval := ((_utc - interval '24 hours') at time zone zone)
    - ((_utc - interval '24 hours') at time zone 'UTC');
  _after constant interval := ((_utc + interval '24 hours') at time zone zone)
    - ((_utc + interval '24 hours') at time zone 'UTC');
  _early timestamptz := _utc - greatest(_before, _after);
  _late timestamptz := _utc - least(_before, _after);
  _middle timestamptz;
begin
  if _early at time zone zone = wall then
    return _early;
  elsif _late at time zone zone = wall then
    return _late;
  end if;
  -- Skipped: the first second with the later offset lies between the two.
  while _late - _early > interval '1 second' loop
    _middle := date_trunc('second', _early + (_late - _early) / 2);
    if (_middle at time zone zone) - (_middle at time zone 'UTC') = _after then
      _late := _middle;
    else
      _early := _middle;
    end if;
  end loop;
  return _late;
end
$$;

-- The first moment after `after` at which a schedule fires.
create or replace function writ_data.next_firing(schedule writ_data.schedule, after timestamptz)
returns timestamptz
language plpgsql stable
as $$
declare
  _wall timestamp := after at time zone schedule.time_zone;
  _moment timestamptz;
begin
  -- More than once only while clocks show for the second time what they have shown already.
  loop
    _wall := writ_data.next_wall_time(
      schedule.minutes, schedule.hours, schedule.days, schedule.is_last_day, schedule.months,
      schedule.weekdays, schedule.matches_either_day, _wall
    );
    _moment := writ_data.moment_of(_wall, schedule.time_zone);
    if _moment is null or _moment > after then
      return _moment;
    end if;
  end loop;
end
$$;

-- Orders the job of a schedule, as the type's own function checks it.
create or replace function writ_data.order_scheduled(schedule writ_data.schedule) returns bigint
language plpgsql
as $$
declare
  _actor constant text := current_setting('writ.actor', true);
  _id bigint;
begin
  if not exists (select from writ_data.job_type as t where t.name = schedule.type) then
    raise exception using
      errcode = 'WR002', column = 'type', message = 'there is no job type ' || schedule.type,
      hint = 'Publish it, or remove the schedule.';
  end if;
  perform set_config('writ.actor', 'schedule ' || schedule.name, true);
  execute format(
    'select writ_data.%I(_fields => $1, run_at => null, priority => $2, idempotency_key => null,'
    ' environment => $3, queue => $4, traceparent => null, expires_at => null)',
    'json_' || schedule.type
  )
     into _id
    using schedule.inputs, schedule.priority::int, schedule.environment, schedule.queue;
  perform set_config('writ.actor', coalesce(_actor, ''), true);
  return _id;
end
$$;

-- Why a schedule could order no job now; null when it could. Orders one, and undoes it.
create or replace function writ_data.schedule_obstacle(schedule writ_data.schedule) returns jsonb
language plpgsql
as $$
declare
  _state text;
  _message text;
begin
  if not exists (select from pg_timezone_names as z where z.name = schedule.time_zone) then
    return jsonb_build_object(
      'code', 'WR003', 'text', 'the time zone is not known to this database'
    );
  end if;
  begin
    perform writ_data.order_scheduled(schedule);
    raise exception using errcode = 'WR000', message = 'undone';
  exception
    when others then
      get stacked diagnostics _state = returned_sqlstate, _message = message_text;
  end;
  return case when _state <> 'WR000' then writ_data.schedule_error(_state, _message) end;
end
$$;

-- An error in the form in which it may be kept: only our own messages are known to hold no value.
create or replace function writ_data.schedule_error(state text, message text) returns jsonb
language sql immutable
return jsonb_build_object(
  'code', state,
  'text', case when state like 'WR%' then message else 'the database refused the order' end
);

create or replace function writ_data.log_schedule(
  event writ_data.audit_event_kind, schedule writ_data.schedule, now timestamptz, recorded jsonb
) returns void
language plpgsql
as $$
#variable_conflict use_variable
begin
  insert into writ_data.audit_event (
    occurred_at, event, job_id, type, environment, role_name, actor, error_code, recorded
  )
  values (
    now, event, case when event = 'schedule_fired' then schedule.last_job_id end, schedule.type,
    schedule.environment, writ_data.caller(), writ_data.actor(),
    case when event = 'schedule_refused' then schedule.last_error ->> 'code' end,
    jsonb_build_object('schedule', schedule.name) || coalesce(recorded, '{}')
  );
end
$$;

-- fire_schedule: fire the schedule that is due longest at `now`. Returns its name and what came of it
-- (fired, refused or skipped); no row when none is due, or another worker is at it.
-- Times that passed meanwhile count as one. Later than a minute is missed: the policy says whether to
-- fire then. What the type refuses is kept with the schedule and in the trail, and not tried again
-- before the next time; what may pass (a deadlock, a full disk, a shutdown) is raised.
-- Locks: the schedule's row, skip locked; then those of ordering a job.
create or replace function writ_data.fire_schedule(now timestamptz)
returns table (schedule text, outcome text, job_id bigint)
language plpgsql
as $$
#variable_conflict use_column
declare
  _schedule writ_data.schedule;
  _due timestamptz;
  _outcome text := 'fired';
  _state text;
  _message text;
begin
  select s.*
    into _schedule
    from writ_data.schedule as s
   where s.next_fire_at <= $1
   order by s.next_fire_at
   limit 1
     for update skip locked;
  if not found then
    return;
  end if;
  _due := _schedule.next_fire_at;
  begin
    _schedule.next_fire_at := writ_data.next_firing(_schedule, $1);
    if _schedule.missed = 'skip' and _due < $1 - interval '1 minute' then
      _outcome := 'skipped';
    else
      _schedule.last_job_id := writ_data.order_scheduled(_schedule);
      _schedule.last_error := null;
      _schedule.last_fire_at := $1;
    end if;
  exception
    when others then
      get stacked diagnostics _state = returned_sqlstate, _message = message_text;
      -- Rollbacks, resources, locks, shutdowns, the system, internal errors.
      if left(_state, 2) in ('40', '53', '55', '57', '58', 'XX') then
        raise;
      end if;
      _outcome := 'refused';
      _schedule.last_error := writ_data.schedule_error(_state, _message)
        || jsonb_build_object('at', $1);
      if _schedule.next_fire_at = _due then  -- no next time could be computed
        _schedule.next_fire_at := null;
      end if;
  end;
  update writ_data.schedule as s
     set next_fire_at = _schedule.next_fire_at, last_fire_at = _schedule.last_fire_at,
         last_job_id = _schedule.last_job_id, last_error = _schedule.last_error
   where s.id = _schedule.id;
  perform writ_data.log_schedule(
    ('schedule_' || _outcome)::writ_data.audit_event_kind, _schedule, $1,
    jsonb_build_object('due_at', to_char(_due at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
    || case
      when _outcome = 'refused' then jsonb_build_object('reason', _schedule.last_error ->> 'text')
      else '{}'
    end
  );
  return query select _schedule.name, _outcome,
                      case when _outcome = 'fired' then _schedule.last_job_id end;
end
$$;

create or replace function writ_worker.fire_schedule()
returns table (schedule text, outcome text, job_id bigint)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query select f.* from writ_data.fire_schedule(clock_timestamp()) as f;
end
$$;

-- Refuses with WR003 what a cast or a check of the table would refuse with the value in its words.
create or replace function writ_data.check_schedule(name text, spec jsonb) returns void
language plpgsql
as $$
#variable_conflict use_variable
declare
  _rule text;
  _field text;
begin
  select f.field, f.field || ' must be whole numbers from ' || f.low || ' to ' || f.high
    into _field, _rule
    from (
      values ('minutes', 0, 59), ('hours', 0, 23), ('days', 1, 31), ('months', 1, 12),
             ('weekdays', 0, 6)
    ) as f (field, low, high)
   where jsonb_array_length(spec -> f.field) > 60
      or exists (
           select
             from jsonb_array_elements(spec -> f.field) as e (value)
            where case jsonb_typeof(e.value)
                    when 'number' then e.value::numeric not between f.low and f.high
                      or e.value::numeric % 1 <> 0
                    else true
                  end
         )
   limit 1;
  if _field is null then
    select f.field, f.rule
      into _field, _rule
      from (
        values
          ('cron', 'cron must have at most 1000 characters and be no secret',
            length(spec ->> 'cron') > 1000 or writ_data.looks_secret(spec ->> 'cron')),
          ('is_last_day', 'is_last_day must be true or false',
            jsonb_typeof(spec -> 'is_last_day') not in ('boolean', 'null')),
          ('matches_either_day', 'matches_either_day must be true or false',
            jsonb_typeof(spec -> 'matches_either_day') not in ('boolean', 'null')),
          ('inputs', 'inputs must be an object', jsonb_typeof(spec -> 'inputs') not in ('object', 'null')),
          ('environments', 'environments must be a list of texts',
            case jsonb_typeof(spec -> 'environments')
              when 'array' then exists (
                select
                  from jsonb_array_elements(spec -> 'environments') as e (value)
                 where jsonb_typeof(e.value) <> 'string'
              )
              when 'null' then false
              else spec ? 'environments'
            end),
          ('priority', 'priority must be from 0 to 9',
            spec -> 'priority' <> 'null' and spec ->> 'priority' !~ '^[0-9]$'),
          ('missed', 'missed must be once or skip',
            spec -> 'missed' <> 'null' and spec ->> 'missed' not in ('once', 'skip'))
      ) as f (field, rule, is_wrong)
     where f.is_wrong
     limit 1;
  end if;
  if _field is not null then
    raise exception using
      errcode = 'WR003', column = _field, message = name || ': ' || _rule,
      hint = 'The command writ schedules add reads a cron expression into its fields.';
  end if;
end
$$;

-- The rows that a description makes, one an environment; refuses what no schedule can have.
-- spec: {name, cron, minutes, hours, days, is_last_day, months, weekdays, matches_either_day,
-- time_zone, inputs, environments, queue, priority, missed}.
create or replace function writ_data.read_schedule(type text, name text, spec jsonb)
returns setof writ_data.schedule
language plpgsql
as $$
#variable_conflict use_variable
declare
  _schedule writ_data.schedule;
  _environment text;
  _field text;
begin
  if name is null or name !~ '^[a-z][a-z0-9_.-]{0,126}$' then
    raise exception using
      errcode = 'WR003', column = 'name', message = 'the name of a schedule is not one',
      hint = 'A lower-case letter, then lower-case letters, digits, _ or -.';
  elsif writ_data.looks_secret(name) then
    raise exception using
      errcode = 'WR005', column = 'name', message = 'the name of the schedule looks like a secret',
      hint = 'Keys, tokens and passwords belong in the secret store; nothing was stored.';
  end if;
  if jsonb_typeof(spec -> 'cron') is distinct from 'string'
    or exists (
      select
        from unnest(array['minutes', 'hours', 'days', 'months', 'weekdays']) as f
       where jsonb_typeof(spec -> f) is distinct from 'array'
    )
  then
    raise exception using
      errcode = 'WR003', column = 'cron',
      message = name || ': the schedule needs cron with its fields as lists of numbers',
      hint = 'The command writ schedules add reads a cron expression into its fields.';
  end if;
  perform writ_data.check_schedule(name, spec);
  _schedule.type := type;
  _schedule.name := name;
  _schedule.cron := spec ->> 'cron';
  _schedule.minutes := array(select m::int from jsonb_array_elements_text(spec -> 'minutes') as m);
  _schedule.hours := array(select h::int from jsonb_array_elements_text(spec -> 'hours') as h);
  _schedule.days := array(select d::int from jsonb_array_elements_text(spec -> 'days') as d);
  _schedule.months := array(select m::int from jsonb_array_elements_text(spec -> 'months') as m);
  _schedule.weekdays := array(
    select d::int from jsonb_array_elements_text(spec -> 'weekdays') as d
  );
  _schedule.is_last_day := coalesce((spec ->> 'is_last_day')::boolean, false);
  _schedule.matches_either_day := coalesce((spec ->> 'matches_either_day')::boolean, false);
  _schedule.time_zone := coalesce(spec ->> 'time_zone', 'UTC');
  _schedule.inputs := coalesce(nullif(spec -> 'inputs', 'null'), '{}');
  _schedule.queue := spec ->> 'queue';
  _schedule.priority := (spec ->> 'priority')::smallint;
  _schedule.missed := coalesce(spec ->> 'missed', 'once');
  if not exists (select from pg_timezone_names as z where z.name = _schedule.time_zone) then
    raise exception using
      errcode = 'WR003', column = 'time_zone',
      message = name || ': the time zone is not known to this database',
      hint = 'Names are those of the IANA time zone database, such as Europe/Berlin; the view'
        ' pg_timezone_names lists them.';
  end if;
  if writ_data.looks_secret(_schedule.inputs::text) then
    select key into _field
      from jsonb_each_text(_schedule.inputs)
     where writ_data.looks_secret(value)
     order by key
     limit 1;
    raise exception using
      errcode = 'WR005', column = coalesce(_field, 'inputs'),
      message = name || ': ' || coalesce(_field, 'inputs') || ' looks like a secret',
      hint = 'Keys, tokens and passwords belong in the secret store; nothing was stored.';
  end if;
  for _environment in
    select e from jsonb_array_elements_text(
      coalesce(nullif(nullif(spec -> 'environments', 'null'), '[]'), '[null]')
    ) as e
  loop
    _schedule.environment := _environment;
    _schedule.next_fire_at := writ_data.next_firing(_schedule, clock_timestamp());
    if _schedule.next_fire_at is null then
      raise exception using
        errcode = 'WR003', column = 'cron', message = name || ': the schedule never fires',
        hint = 'Name a day that one of its months has.';
    end if;
    return next _schedule;
  end loop;
end
$$;

-- Puts the schedules of a published type in place: adds new ones, changes others, removes those that
-- are gone. A pause outlives this; the next time moves only where the clock part has changed.
create or replace function writ_data.put_schedules(type text, specs jsonb, now timestamptz)
returns void
language plpgsql
as $$
#variable_conflict use_variable
declare
  _new writ_data.schedule;
  _old writ_data.schedule;
  _kept bigint[] := '{}';
  _spec jsonb;
begin
  for _spec in select value from jsonb_array_elements(coalesce(specs, '[]'))
  loop
    for _new in
      select * from writ_data.read_schedule(type, type || coalesce('.' || (_spec ->> 'name'), ''),
      _spec)
    loop
      select s.* into _old
        from writ_data.schedule as s
       where s.name = _new.name and s.environment is not distinct from _new.environment
         for update;
      if not found then
        _new.is_published := true;
        _kept := _kept || writ_data.insert_schedule(_new, now);
      elsif not _old.is_published then
        perform writ_data.refuse_type(
          type, 'an administrator''s schedule has the name ' || _new.name || '; remove it first'
        );
      else
        _kept := _kept || _old.id;
        perform writ_data.change_schedule(_old, _new, now);
      end if;
    end loop;
  end loop;
  for _old in
    delete from writ_data.schedule as s
     where s.is_published and s.type = type and s.id <> all (_kept)
    returning s.*
  loop
    perform writ_data.log_schedule('schedule_removed', _old, now, null);
  end loop;
end
$$;

create or replace function writ_data.insert_schedule(schedule writ_data.schedule, now timestamptz)
returns bigint
language plpgsql
as $$
#variable_conflict use_column
declare
  _made writ_data.schedule;
begin
  insert into writ_data.schedule as s (
    next_fire_at, created_at, priority, is_published, is_last_day, matches_either_day, missed, name,
    type, environment, queue, cron, time_zone, minutes, hours, days, months, weekdays, created_by,
    inputs
  )
  values (
    $1.next_fire_at, $2, $1.priority, $1.is_published, $1.is_last_day, $1.matches_either_day,
    $1.missed, $1.name, $1.type, $1.environment, $1.queue, $1.cron, $1.time_zone, $1.minutes,
    $1.hours, $1.days, $1.months, $1.weekdays, writ_data.caller(), $1.inputs
  )
  returning s.* into _made;
  perform writ_data.log_schedule(
    'schedule_added', _made, $2,
    jsonb_build_object('cron', _made.cron, 'time_zone', _made.time_zone)
  );
  return _made.id;
end
$$;

create or replace function writ_data.change_schedule(
  old writ_data.schedule, new writ_data.schedule, now timestamptz
) returns void
language plpgsql
as $$
#variable_conflict use_column
begin
  if ($1.cron, $1.time_zone, $1.inputs, $1.missed)
      is not distinct from ($2.cron, $2.time_zone, $2.inputs, $2.missed)
    and ($1.queue, $1.priority) is not distinct from ($2.queue, $2.priority)
  then
    return;
  end if;
  update writ_data.schedule as s
     set cron = $2.cron, time_zone = $2.time_zone, minutes = $2.minutes, hours = $2.hours,
         days = $2.days, is_last_day = $2.is_last_day, months = $2.months, weekdays = $2.weekdays,
         matches_either_day = $2.matches_either_day, inputs = $2.inputs, missed = $2.missed,
         queue = $2.queue, priority = $2.priority,
         next_fire_at = case
           when s.is_paused then null
           when ($1.cron, $1.time_zone) = ($2.cron, $2.time_zone) then s.next_fire_at
           else $2.next_fire_at
         end
   where s.id = $1.id;
  perform writ_data.log_schedule(
    'schedule_changed', $1, $3, jsonb_build_object('cron', $2.cron, 'time_zone', $2.time_zone)
  );
end
$$;

-- add_schedule: order jobs of a type by the clock. spec as in read_schedule, with the members of the
-- type's own schedules; refuses what the type would refuse now. Returns when it fires first.
create or replace function writ.add_schedule(type text, name text, spec jsonb) returns timestamptz
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _schedule writ_data.schedule;
  _obstacle jsonb;
begin
  for _schedule in select r.* from writ_data.read_schedule($1, $2, $3) as r
  loop
    _obstacle := writ_data.schedule_obstacle(_schedule);
    if _obstacle is not null then
      raise exception using
        errcode = _obstacle ->> 'code', message = _obstacle ->> 'text',
        hint = 'Every job of the schedule would be refused like this; nothing was stored.';
    end if;
    _schedule.is_published := false;
    begin
      perform writ_data.insert_schedule(_schedule, clock_timestamp());
    exception
      when unique_violation then
        raise exception using
          errcode = 'WR003', column = 'name',
          message = $2 || ': there is a schedule of this name in this environment',
          hint = 'Choose another name, or remove that one first.';
    end;
  end loop;
  return _schedule.next_fire_at;
end
$$;

-- The schedules of a name, locked; refuses when there is none.
create or replace function writ_data.find_schedules(name text, environment text)
returns setof writ_data.schedule
language plpgsql
as $$
#variable_conflict use_column
begin
  return query
    select s.*
      from writ_data.schedule as s
     where s.name = $1 and ($2 is null or s.environment = $2)
     order by s.id
       for update;
  if not found then
    raise exception using
      errcode = 'WR003', column = 'name', message = 'there is no such schedule',
      hint = 'writ schedules list shows the schedules.';
  end if;
end
$$;

-- remove_schedule: end a schedule, in one environment or (null) all. Returns how many rows went.
create or replace function writ.remove_schedule(name text, environment text default null)
returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _schedule writ_data.schedule;
  _count int := 0;
begin
  for _schedule in select f.* from writ_data.find_schedules($1, $2) as f
  loop
    if _schedule.is_published then
      raise exception using
        errcode = 'WR003', column = 'name',
        message = _schedule.name || ': the schedule belongs to its job type',
        hint = 'Remove it from the document and publish, or pause it.';
    end if;
    delete from writ_data.schedule as s where s.id = _schedule.id;
    perform writ_data.log_schedule('schedule_removed', _schedule, clock_timestamp(), null);
    _count := _count + 1;
  end loop;
  return _count;
end
$$;

-- pause_schedule: let a schedule rest until it is resumed. Returns how many rows changed.
create or replace function writ.pause_schedule(name text, environment text default null)
returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _schedule writ_data.schedule;
  _count int := 0;
begin
  for _schedule in select f.* from writ_data.find_schedules($1, $2) as f where not f.is_paused
  loop
    update writ_data.schedule as s set is_paused = true, next_fire_at = null
     where s.id = _schedule.id;
    perform writ_data.log_schedule('schedule_paused', _schedule, clock_timestamp(), null);
    _count := _count + 1;
  end loop;
  return _count;
end
$$;

-- resume_schedule: let it fire again, from its next time on; what it would have done is not made up
-- for. Also for one that lost its next time. Returns how many rows changed.
create or replace function writ.resume_schedule(name text, environment text default null)
returns int
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _schedule writ_data.schedule;
  _now constant timestamptz := clock_timestamp();
  _count int := 0;
begin
  for _schedule in
    select f.* from writ_data.find_schedules($1, $2) as f where f.next_fire_at is null
  loop
    update writ_data.schedule as s
       set is_paused = false, next_fire_at = writ_data.next_firing(_schedule, _now)
     where s.id = _schedule.id;
    perform writ_data.log_schedule('schedule_resumed', _schedule, _now, null);
    _count := _count + 1;
  end loop;
  return _count;
end
$$;

-- schedule_obstacles: the schedules that could order no job now, and why.
create or replace function writ.schedule_obstacles()
returns table (name text, environment text, code text, reason text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _schedule writ_data.schedule;
  _obstacle jsonb;
begin
  for _schedule in select s.* from writ_data.schedule as s order by s.name, s.environment
  loop
    _obstacle := writ_data.schedule_obstacle(_schedule);
    if _obstacle is not null then
      return query select _schedule.name, _schedule.environment, _obstacle ->> 'code',
                          _obstacle ->> 'text';
    end if;
  end loop;
end
$$;

create or replace view writ.schedule as
select s.name, s.type, s.environment, s.queue, s.priority, s.cron, s.time_zone, s.missed,
       s.is_published, s.is_paused, s.next_fire_at, s.last_fire_at, s.last_job_id,
       coalesce(
         (
           select concat_ws(', ', j.state, j.waiting_reason) from writ_data.job as j
            where j.id = s.last_job_id
         ),
         (select h.state::text from writ_data.job_history as h where h.id = s.last_job_id)
       ) as last_job_state,
       s.last_error, s.inputs, s.created_at, s.created_by
  from writ_data.schedule as s;
comment on view writ.schedule is 'When which jobs are ordered by the clock.';

grant execute on function writ_worker.fire_schedule() to writ_worker;
grant execute on function
  writ.add_schedule(text, text, jsonb), writ.remove_schedule(text, text),
  writ.pause_schedule(text, text), writ.resume_schedule(text, text), writ.schedule_obstacles()
to writ_admin;
grant select on writ.schedule to writ_admin;
