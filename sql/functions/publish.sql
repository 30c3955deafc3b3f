-- publish.sql: publishing a job type, and who may order it.

-- Raised when the generated code changes, so that every type is generated anew: regenerate_types.
create or replace function writ_data.generator() returns int
language sql immutable
return 5;

-- publish_job_type: keep a definition and make its functions. Returns whether anything changed.
-- spec: {name, description, hash, arazzo_path, arazzo, sources: [{name, path, text}], inputs:
-- [{name, kind, required, description, default, normalize, record, min_length, max_length, pattern,
-- expression, enum, minimum, maximum, min_items, max_items, json_type, refuse}] (expression: the
-- pattern in the words of PostgreSQL, where it differs; json_type: object or array, for a kind json
-- that is not any JSON), subject: [{literal} | {input}] or null,
-- max_attempts, concurrency, rate: {limit, seconds}, deadline_seconds, key_window_seconds, replay,
-- targets: the names of what its jobs call, schedules: see writ_data.read_schedule}.
-- Jobs that are enqueued already keep the definition that they name. A definition that is there
-- already is published again where the program reads its inputs or targets otherwise than the one before.
-- Locks: one publisher at a time; callers of the type wait only while its parameters change.
create or replace function writ.publish_job_type(spec jsonb) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  _generator constant int := writ_data.generator();
  _name constant text := spec ->> 'name';
  _caller constant text := writ_data.caller();
  _now constant timestamptz := clock_timestamp();
  _known writ_data.job_type;
  _signature text;
  _targets constant text[] := array(
    select jsonb_array_elements_text(coalesce(spec -> 'targets', '[]'))
  );
begin
  perform writ_data.check_definition(spec);
  spec := jsonb_set(spec, '{inputs}', writ_data.ordered_inputs(spec -> 'inputs'));
  -- One publisher at a time; nobody who reads waits.
  lock table writ_data.job_type in share row exclusive mode;
  select t.* into _known from writ_data.job_type as t where t.name = _name;
  if _known.definition_hash = spec ->> 'hash' and _known.generator = _generator
    and _known.inputs = spec -> 'inputs' and _known.targets = _targets
  then
    return false;
  end if;
  if _known.name is null and exists (
    select from pg_proc as f where f.pronamespace = 'writ'::regnamespace and f.proname = _name
  ) then
    perform writ_data.refuse_type(_name, 'the name is taken by a function of schema writ');
  end if;
  insert into writ_data.definition (hash, type, arazzo_path, arazzo, sources, published_at,
  published_by)
  values (
    spec ->> 'hash', _name, spec ->> 'arazzo_path', spec ->> 'arazzo', spec -> 'sources', _now,
    _caller
  )
  on conflict (hash) do nothing;
  begin
    _signature := writ_data.generate(spec, _known.signature);
  exception
    when dependent_objects_still_exist then
      perform writ_data.refuse_type(
        _name, 'its parameters change, and another object of this database depends on its function'
      );
  end;
  insert into writ_data.job_type as t (
    name, definition_hash, generator, signature, description, inputs, subject, max_attempts,
    concurrency, rate_limit, rate_period, deadline, key_window, replay, targets, published_at,
    published_by
  )
  values (
    _name, spec ->> 'hash', _generator, _signature, spec ->> 'description', spec -> 'inputs',
    nullif(spec -> 'subject', 'null'), (spec ->> 'max_attempts')::int,
    (spec ->> 'concurrency')::int, (spec -> 'rate' ->> 'limit')::int,
    make_interval(secs => (spec -> 'rate' ->> 'seconds')::double precision),
    make_interval(secs => (spec ->> 'deadline_seconds')::double precision),
    writ_data.key_window(spec), coalesce(spec ->> 'replay', 'review'), _targets, _now, _caller
  )
  on conflict (name) do update
     set definition_hash = excluded.definition_hash, generator = excluded.generator,
         signature = excluded.signature, description = excluded.description,
         inputs = excluded.inputs,
         subject = excluded.subject, max_attempts = excluded.max_attempts,
         concurrency = excluded.concurrency, rate_limit = excluded.rate_limit,
         rate_period = excluded.rate_period, deadline = excluded.deadline,
         key_window = excluded.key_window, replay = excluded.replay, targets = excluded.targets,
         published_at = excluded.published_at, published_by = excluded.published_by;
  perform writ_data.make_gates();
  insert into writ_data.audit_event (occurred_at, event, type, role_name, actor, definition_hash)
  values (
    _now, 'type_published', _name, _caller, writ_data.actor(),
    spec ->> 'hash'
  );
  perform writ_data.put_schedules(_name, spec -> 'schedules', _now);
  return true;
end
$$;

-- regenerate_types: make the functions of the published types anew where an older generator made
-- them. Says nothing in the trail: what can be ordered is the same. Called by `writ migrate`, below.
create or replace function writ_data.regenerate_types() returns int
language plpgsql
as $$
declare
  _type writ_data.job_type;
  _signature text;
  _count int := 0;
  _detail text;
begin
  lock table writ_data.job_type in share row exclusive mode;
  for _type in
    select t.* from writ_data.job_type as t
     where t.generator < writ_data.generator()
     order by t.name
  loop
    begin
      _signature := writ_data.generate(
        jsonb_build_object(
          'name', _type.name, 'hash', _type.definition_hash, 'description', _type.description,
          'inputs', _type.inputs, 'subject', _type.subject, 'max_attempts', _type.max_attempts,
          'deadline_seconds', extract(epoch from _type.deadline),
          'key_window_seconds', extract(epoch from _type.key_window)
        ),
        _type.signature
      );
    exception
      when dependent_objects_still_exist then
        get stacked diagnostics _detail = pg_exception_detail;
        raise exception using
          errcode = 'WR009',
          message = _type.name || ': its parameters change, and another object of this database'
            ' depends on its function',
          hint = 'Drop that object, migrate, and make it again: ' || split_part(_detail, E'\n', 1);
    end;
    update writ_data.job_type as t
       set generator = writ_data.generator(), signature = _signature
     where t.name = _type.name;
    _count := _count + 1;
  end loop;
  return _count;
end
$$;

-- Both overloads at once: `grant execute on function` would have to name each signature.
create or replace function writ_data.change_grant(job_type text, role_name text,
is_granted boolean) returns void
language plpgsql
as $$
declare
  f record;
begin
  if job_type is null or not exists (select from writ_data.job_type as t
    where t.name = job_type) then
    raise exception using
      errcode = 'WR002', column = 'job_type', message = 'the job type is not known',
      hint = 'The view writ.job_type lists the job types.';
  end if;
  if role_name is null or not exists (select from pg_roles as r where r.rolname = role_name) then
    raise exception using
      errcode = 'WR003', column = 'role_name', message = job_type || ': there is no such role',
      hint = 'Create the role first: create role … login.';
  end if;
  for f in
    select p.oid::regprocedure as signature
      from pg_proc as p
     where p.pronamespace = 'writ'::regnamespace and p.proname = job_type
  loop
    if is_granted then
      execute format('grant execute on function %s to %I', f.signature, role_name);
    else
      execute format('revoke execute on function %s from %I', f.signature, role_name);
    end if;
  end loop;
  insert into writ_data.audit_event (occurred_at, event, type, role_name, actor, recorded)
  values (
    clock_timestamp(),
    case when is_granted then 'type_granted' else 'type_revoked' end::writ_data.audit_event_kind,
    job_type,
    writ_data.caller(), writ_data.actor(),
    jsonb_build_object('grantee', role_name)
  );
end
$$;

-- grant_job_type: let a role order jobs of one type, with the typed function and with writ.enqueue.
-- The role also needs schema writ: make it a member of writ_enqueuer, once.
create or replace function writ.grant_job_type(job_type text, role_name text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform writ_data.change_grant(job_type, role_name, true);
end
$$;

create or replace function writ.revoke_job_type(job_type text, role_name text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform writ_data.change_grant(job_type, role_name, false);
end
$$;

grant execute on function
  writ.publish_job_type(jsonb), writ.grant_job_type(text, text), writ.revoke_job_type(text, text)
to writ_admin;

-- Types that were published before the functions changed stay orderable.
do $$ begin perform writ_data.regenerate_types(); end $$;
