-- publish.sql: publishing a job type, and who may order it.

-- publish_job_type: keep a definition and make its functions. Returns whether anything changed.
-- spec: {name, description, hash, arazzo_path, arazzo, sources: [{name, path, text}], inputs:
-- [{name, kind, required, description, default, normalize, record, min_length, max_length, pattern,
-- enum, minimum, maximum, min_items, max_items}], subject: [{literal} | {input}] or null,
-- max_attempts, concurrency, deadline_seconds, replay}.
-- Jobs that are enqueued already keep the definition that they name.
-- Locks: one publisher at a time; callers of the type wait only while its parameters change.
create or replace function writ.publish_job_type(spec jsonb) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Raised when the generated code changes, so that the same definition is generated anew.
  _generator constant int := 1;
  _name constant text := spec ->> 'name';
  _caller constant text := writ_data.caller();
  _now constant timestamptz := clock_timestamp();
  _known writ_data.job_type;
  _signature text;
begin
  perform writ_data.check_definition(spec);
  spec := jsonb_set(spec, '{inputs}', writ_data.ordered_inputs(spec -> 'inputs'));
  -- One publisher at a time; nobody who reads waits.
  lock table writ_data.job_type in share row exclusive mode;
  select t.* into _known from writ_data.job_type as t where t.name = _name;
  if _known.definition_hash = spec ->> 'hash' and _known.generator = _generator then
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
    concurrency,
    deadline, replay, published_at, published_by
  )
  values (
    _name, spec ->> 'hash', _generator, _signature, spec ->> 'description', spec -> 'inputs',
    nullif(spec -> 'subject', 'null'), (spec ->> 'max_attempts')::int,
    (spec ->> 'concurrency')::int,
    make_interval(secs => (spec ->> 'deadline_seconds')::numeric), coalesce(spec ->> 'replay',
    'review'),
    _now, _caller
  )
  on conflict (name) do update
     set definition_hash = excluded.definition_hash, generator = excluded.generator,
         signature = excluded.signature, description = excluded.description,
         inputs = excluded.inputs,
         subject = excluded.subject, max_attempts = excluded.max_attempts,
         concurrency = excluded.concurrency, deadline = excluded.deadline, replay = excluded.replay,
         published_at = excluded.published_at, published_by = excluded.published_by;
  insert into writ_data.audit_event (occurred_at, event, type, role_name, actor, definition_hash)
  values (
    _now, 'type_published', _name, _caller, nullif(current_setting('writ.actor', true), ''),
    spec ->> 'hash'
  );
  return true;
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
    writ_data.caller(), nullif(current_setting('writ.actor', true), ''),
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
