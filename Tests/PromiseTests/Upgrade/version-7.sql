-- A database as the program of migrations 1 to 7 left it: its schema, its functions, four published job types, and jobs in every
-- state that it had. Made by that program and pg_dump 15; not to be edited.
do $$
declare
  role_name text;
begin
  foreach role_name in array array[
    'writ_owner', 'writ_enqueuer', 'writ_worker', 'writ_admin', 'writ_auditor'
  ]
  loop
    begin
      execute format('create role %I nologin', role_name);
    exception
      when duplicate_object or unique_violation then null;
    end;
  end loop;
end
$$;

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA writ;

ALTER SCHEMA writ OWNER TO writ_owner;

CREATE SCHEMA writ_data;

ALTER SCHEMA writ_data OWNER TO writ_owner;

CREATE SCHEMA writ_worker;

ALTER SCHEMA writ_worker OWNER TO writ_owner;

CREATE DOMAIN writ_data.attempt_limit AS integer
	CONSTRAINT attempt_limit_check CHECK (((VALUE >= 1) AND (VALUE <= 1000)));

ALTER DOMAIN writ_data.attempt_limit OWNER TO writ_owner;

CREATE TYPE writ_data.audit_event_kind AS ENUM (
    'enqueued',
    'claimed',
    'step',
    'completed',
    'discarded',
    'cancelled',
    'retried',
    'review_requested',
    'handed_back',
    'lease_expired',
    'parked',
    'unparked',
    'promoted',
    'replayed',
    'cancel_requested',
    'type_published',
    'type_granted',
    'type_revoked',
    'environment_created',
    'default_environment_changed',
    'worker_registered',
    'worker_stopped',
    'worker_lost'
);

ALTER TYPE writ_data.audit_event_kind OWNER TO writ_owner;

CREATE DOMAIN writ_data.job_priority AS smallint
	CONSTRAINT job_priority_check CHECK (((VALUE >= 0) AND (VALUE <= 9)));

ALTER DOMAIN writ_data.job_priority OWNER TO writ_owner;

CREATE TYPE writ_data.job_state AS ENUM (
    'scheduled',
    'available',
    'running',
    'retryable',
    'waiting',
    'completed',
    'discarded',
    'cancelled'
);

ALTER TYPE writ_data.job_state OWNER TO writ_owner;

CREATE DOMAIN writ_data.json_object AS jsonb
	CONSTRAINT json_object_check CHECK ((jsonb_typeof(VALUE) = 'object'::text));

ALTER DOMAIN writ_data.json_object OWNER TO writ_owner;

CREATE TYPE writ_data.record_entry AS (
	place bigint,
	job bigint,
	attempt integer,
	kind text,
	seq integer,
	step text,
	effect text,
	result jsonb,
	status integer,
	error_code text,
	duration_us bigint,
	outputs jsonb,
	action jsonb,
	recorded jsonb,
	digested jsonb,
	error jsonb,
	delay_us bigint,
	burns boolean,
	unresolved boolean
);

ALTER TYPE writ_data.record_entry OWNER TO writ_owner;

CREATE DOMAIN writ_data.tally AS integer
	CONSTRAINT tally_check CHECK ((VALUE >= 0));

ALTER DOMAIN writ_data.tally OWNER TO writ_owner;

CREATE TYPE writ_data.waiting_reason AS ENUM (
    'predecessor',
    'concurrency',
    'review'
);

ALTER TYPE writ_data.waiting_reason OWNER TO writ_owner;

CREATE TYPE writ_data.worker_state AS ENUM (
    'live',
    'stopped',
    'lost'
);

ALTER TYPE writ_data.worker_state OWNER TO writ_owner;

CREATE FUNCTION writ.cancel(job_id bigint, force boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ.cancel(job_id bigint, force boolean) OWNER TO writ_owner;

CREATE FUNCTION writ.change_plan(user_id text, plan_id text DEFAULT NULL::text, status text DEFAULT NULL::text, current_period_end text DEFAULT NULL::text, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, idempotency_key text DEFAULT NULL::text, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
  if "user_id" !~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then
    raise exception using errcode = 'WR001', column = 'user_id', message = 'change_plan: user_id must be a UUID',
      hint = 'Pass 32 hex digits as 8-4-4-4-12.';
  end if;
  if "plan_id" !~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then
    raise exception using errcode = 'WR001', column = 'plan_id', message = 'change_plan: plan_id must be a UUID',
      hint = 'Pass 32 hex digits as 8-4-4-4-12.';
  end if;
  if "current_period_end" is not null and writ_data.read_date_time("current_period_end") is null then
    raise exception using errcode = 'WR001', column = 'current_period_end', message = 'change_plan: current_period_end must be a date and time with an offset',
      hint = 'Pass RFC 3339, such as 2030-01-31T09:30:00Z.';
  end if;
  return writ_data.enqueue_change_plan(
    "user_id"::uuid, "plan_id"::uuid, "status", writ_data.read_date_time("current_period_end"), run_at, priority, idempotency_key, environment, queue, traceparent
  );
end
$_$;

ALTER FUNCTION writ.change_plan(user_id text, plan_id text, status text, current_period_end text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

COMMENT ON FUNCTION writ.change_plan(user_id text, plan_id text, status text, current_period_end text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) IS 'Move a user''s subscription to another plan';

CREATE FUNCTION writ.change_plan(user_id uuid DEFAULT NULL::uuid, plan_id uuid DEFAULT NULL::uuid, status text DEFAULT NULL::text, current_period_end timestamp with time zone DEFAULT NULL::timestamp with time zone, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, idempotency_key text DEFAULT NULL::text, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return writ_data.enqueue_change_plan(
    "user_id", "plan_id", "status", "current_period_end", run_at, priority, idempotency_key, environment, queue, traceparent
  );
end
$$;

ALTER FUNCTION writ.change_plan(user_id uuid, plan_id uuid, status text, current_period_end timestamp with time zone, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

COMMENT ON FUNCTION writ.change_plan(user_id uuid, plan_id uuid, status text, current_period_end timestamp with time zone, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) IS 'Move a user''s subscription to another plan';

CREATE FUNCTION writ.create_environment(name text, is_default boolean DEFAULT false) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ.create_environment(name text, is_default boolean) OWNER TO writ_owner;

CREATE FUNCTION writ.create_user(email text DEFAULT NULL::text, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, idempotency_key text DEFAULT NULL::text, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return writ_data.enqueue_create_user(
    "email", run_at, priority, idempotency_key, environment, queue, traceparent
  );
end
$$;

ALTER FUNCTION writ.create_user(email text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

COMMENT ON FUNCTION writ.create_user(email text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) IS 'Make a person known to the service, by e-mail address';

CREATE FUNCTION writ.digest(value text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return 'hmac-sha256:' || encode(writ_data.digest(value), 'hex');
end
$$;

ALTER FUNCTION writ.digest(value text) OWNER TO writ_owner;

CREATE FUNCTION writ.enqueue(type text, payload jsonb, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, idempotency_key text DEFAULT NULL::text, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_variable
declare
  _id bigint;
begin
  if type is null or not exists (select from writ_data.job_type as t where t.name = type) then
    raise exception using
      errcode = 'WR002', column = 'type',
      message = case
        when type ~ '^[a-z][a-z0-9_]{0,47}$' then 'there is no job type ' || type
        else 'the job type is not known'
      end,
      hint = 'The view writ.job_type lists the job types; writ types publish adds one.';
  end if;
  if not writ_data.may_order(type, writ_data.caller()) then
    raise exception using
      errcode = 'WR007', message = type || ': this role may not order jobs of this type',
      hint = 'An administrator grants it with writ.grant_job_type.';
  end if;
  if payload is null or jsonb_typeof(payload) <> 'object' then
    raise exception using
      errcode = 'WR001', column = 'payload', message = type || ': payload must be a JSON object',
      hint = 'Its members are the fields of the job type; the view writ.job_type lists them.';
  end if;
  execute format('select writ_data.%I($1, $2, $3, $4, $5, $6, $7)', 'json_' || type)
     into _id
    using payload, run_at, priority, idempotency_key, environment, queue, traceparent;
  return _id;
end
$_$;

ALTER FUNCTION writ.enqueue(type text, payload jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ.enqueue(type text, payload text, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, idempotency_key text DEFAULT NULL::text, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return writ.enqueue(
    type, writ_data.read_json(payload), run_at, priority, idempotency_key, environment, queue,
    traceparent
  );
end
$$;

ALTER FUNCTION writ.enqueue(type text, payload text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ.grant_job_type(job_type text, role_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform writ_data.change_grant(job_type, role_name, true);
end
$$;

ALTER FUNCTION writ.grant_job_type(job_type text, role_name text) OWNER TO writ_owner;

CREATE FUNCTION writ.predecessor(job_id bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ.predecessor(job_id bigint) OWNER TO writ_owner;

CREATE FUNCTION writ.publish_job_type(spec jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION writ.publish_job_type(spec jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ.replay(job_id bigint, force boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ.replay(job_id bigint, force boolean) OWNER TO writ_owner;

CREATE FUNCTION writ.replay_plan(job_id bigint) RETURNS TABLE(place integer, fact text, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ.replay_plan(job_id bigint) OWNER TO writ_owner;

CREATE FUNCTION writ.revoke_access(user_id text, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, idempotency_key text DEFAULT NULL::text, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
  if "user_id" !~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then
    raise exception using errcode = 'WR001', column = 'user_id', message = 'revoke_access: user_id must be a UUID',
      hint = 'Pass 32 hex digits as 8-4-4-4-12.';
  end if;
  return writ_data.enqueue_revoke_access(
    "user_id"::uuid, run_at, priority, idempotency_key, environment, queue, traceparent
  );
end
$_$;

ALTER FUNCTION writ.revoke_access(user_id text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

COMMENT ON FUNCTION writ.revoke_access(user_id text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) IS 'Take subscription and sign-in away from a user, and prove that both are gone';

CREATE FUNCTION writ.revoke_access(user_id uuid DEFAULT NULL::uuid, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, idempotency_key text DEFAULT NULL::text, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return writ_data.enqueue_revoke_access(
    "user_id", run_at, priority, idempotency_key, environment, queue, traceparent
  );
end
$$;

ALTER FUNCTION writ.revoke_access(user_id uuid, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

COMMENT ON FUNCTION writ.revoke_access(user_id uuid, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) IS 'Take subscription and sign-in away from a user, and prove that both are gone';

CREATE FUNCTION writ.revoke_job_type(job_type text, role_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform writ_data.change_grant(job_type, role_name, false);
end
$$;

ALTER FUNCTION writ.revoke_job_type(job_type text, role_name text) OWNER TO writ_owner;

CREATE FUNCTION writ.rotate_api_key(job_type text DEFAULT NULL::text, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, idempotency_key text DEFAULT NULL::text, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return writ_data.enqueue_rotate_api_key(
    "job_type", run_at, priority, idempotency_key, environment, queue, traceparent
  );
end
$$;

ALTER FUNCTION writ.rotate_api_key(job_type text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

COMMENT ON FUNCTION writ.rotate_api_key(job_type text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) IS 'Replace the key with which jobs of one type call AuthOS';

CREATE FUNCTION writ.status(job_id bigint) RETURNS TABLE(id bigint, type text, state text, waiting_reason text, attempt integer, enqueued_at timestamp with time zone, run_at timestamp with time zone, finished_at timestamp with time zone, error_code text, result jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ.status(job_id bigint) OWNER TO writ_owner;

CREATE FUNCTION writ_data.add_job(type text, definition_hash text, max_attempts integer, deadline interval, payload jsonb, subject text, recorded jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_variable
declare
  _now timestamptz := clock_timestamp();
  _text text := payload::text;
  _environment text;
  _caller text := writ_data.caller();
  _actor text := nullif(current_setting('writ.actor', true), '');
  _digest bytea;
  _known writ_data.idempotency_key;
  _id bigint;
  _order bigint;
  _state writ_data.job_state;
  _subject_digest bytea := writ_data.digest(subject);
  _field text;
  _transaction xid8;
begin
  if octet_length(_text) > 65536 then
    raise exception using
      errcode = 'WR001', message = type || ': payload must have at most 65536 bytes',
      hint = 'Pass a reference to large data, not the data.';
  end if;
  if writ_data.looks_secret(_text) then
    select key into _field
      from jsonb_each_text(payload)
     where writ_data.looks_secret(value)
     order by key
     limit 1;
    raise exception using
      errcode = 'WR005', column = coalesce(_field, 'payload'),
      message = type || ': ' || coalesce(_field, 'payload') || ' looks like a secret',
      hint = 'Keys, tokens and passwords belong in the secret store; nothing was stored.';
  end if;
  if length(subject) > 400 then
    raise exception using
      errcode = 'WR001',
      message = type || ': the subject of the job must have at most 400 characters',
      hint = 'The subject is made from fields of the payload; shorten those.';
  end if;
  if priority is null then
    priority := 5;
  elsif priority not between 0 and 9 then
    raise exception using
      errcode = 'WR003', column = 'priority', message = type || ': priority must be from 0 to 9',
      hint = '0 goes first, 9 last; without the option it is 5.';
  end if;
  if queue is null then
    queue := 'default';
  elsif queue !~ '^[a-z][a-z0-9_-]{0,62}$' then
    raise exception using
      errcode = 'WR003', column = 'queue', message = type || ': queue must be the name of a queue',
      hint = 'A lower-case letter, then at most 62 lower-case letters, digits, _ or -.';
  end if;
  if run_at = '-infinity' or run_at >= '10000-01-01T00:00:00Z' then
    raise exception using
      errcode = 'WR003', column = 'run_at',
      message = type || ': run_at must be a finite time before the year 10000',
      hint = 'Leave it out to run the job now.';
  end if;
  if traceparent !~ '^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$' then
    raise exception using
      errcode = 'WR003', column = 'traceparent',
      message = type || ': traceparent must have the form of W3C Trace Context',
      hint = 'For example 00-<32 hex digits>-<16 hex digits>-01.';
  end if;
  if length(_actor) > 200 or writ_data.looks_secret(_actor) then
    raise exception using
      errcode = 'WR003', column = 'actor',
      message = type || ': the setting writ.actor must name a person in at most 200 characters',
      hint = 'Set it with: set local writ.actor = ''…''; it is recorded in the audit trail.';
  end if;

  if environment is null then
    select e.name into _environment from writ_data.environment as e where e.is_default;
  else
    select e.name into _environment from writ_data.environment as e where e.name = environment;
  end if;
  if _environment is null then
    raise exception using
      errcode = 'WR004', column = 'environment',
      message = type || case
        when environment is null then ': there is no default environment'
        else ': environment is not known'
      end,
      hint = 'The view writ.environment lists the environments; an administrator adds one with'
        ' writ.create_environment.';
  end if;

  _id := nextval('writ_data.job_id');
  if idempotency_key is not null then
    if length(idempotency_key) not between 1 and 200 or idempotency_key ~ '[[:cntrl:]]' then
      raise exception using
        errcode = 'WR003', column = 'idempotency_key',
        message = type
          || ': idempotency_key must have 1 to 200 characters, none of them a control character',
        hint = 'Use the number of the order or event that asks for this job.';
    elsif writ_data.looks_secret(idempotency_key) then
      raise exception using
        errcode = 'WR005', column = 'idempotency_key',
        message = type || ': idempotency_key looks like a secret',
        hint = 'Use the number of the order or event that asks for this job; nothing was stored.';
    end if;
    _digest := sha256(convert_to(_text, 'UTF8'));
    insert into writ_data.idempotency_key as k (environment, type, key, job_id, created_at,
    payload_digest)
    values (_environment, type, idempotency_key, _id, _now, _digest)
    on conflict do nothing;
    if not found then
      select k.* into strict _known
        from writ_data.idempotency_key as k
       where k.environment = _environment and k.type = add_job.type and k.key = idempotency_key;
      if _known.payload_digest = _digest then
        return _known.job_id;
      end if;
      raise exception using
        errcode = 'WR006', column = 'idempotency_key',
        message = type || ': idempotency_key was used before with another payload',
        hint = 'One key stands for one job: use a new key, or pass the same fields.';
    end if;
  end if;

  _transaction := pg_current_xact_id();
  if run_at > _now then
    _state := 'scheduled';
  else
    _state := 'available';
    run_at := _now;
    _order := nextval('writ_data.claim_order');
  end if;

  with event as (
    insert into writ_data.audit_event as a (
      occurred_at, job_id, to_state, event, type, environment, role_name, actor, definition_hash,
      subject_digest, recorded
    )
    values (
      _now, _id, _state, 'enqueued', type, _environment, _caller, _actor, definition_hash,
      _subject_digest, recorded
    )
  )
  insert into writ_data.job as j (
    id, claim_order, run_at, enqueued_at, deadline_at, max_attempts, state, priority, type,
    environment,
    queue, definition_hash, subject, subject_digest, enqueued_by, actor, idempotency_key,
    traceparent,
    payload
  )
  values (
    _id, _order, coalesce(run_at, _now), _now, coalesce(run_at, _now) + deadline, max_attempts,
    _state,
    priority, type, _environment, queue, definition_hash, subject, _subject_digest, _caller, _actor,
    idempotency_key, traceparent, payload
  );
  if _state = 'available' and exists (
    select from writ_data.worker as w where w.is_idle and w.state = 'live'
  ) then
    perform pg_notify('writ_wake', queue);
  end if;
  return _id;
end
$_$;

ALTER FUNCTION writ_data.add_job(type text, definition_hash text, max_attempts integer, deadline interval, payload jsonb, subject text, recorded jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.add_partitions(at timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare
  first_day timestamptz := date_trunc('month', at at time zone 'UTC') at time zone 'UTC';
  next_month timestamptz := (date_trunc('month', at at time zone 'UTC') + interval '1 month')
    at time zone 'UTC';
  suffix text := to_char(first_day at time zone 'UTC', '"_y"YYYY"m"MM');
  parent text;
  added int := 0;
begin
  foreach parent in array array['job_history', 'journal_history', 'audit_event']
  loop
    if to_regclass('writ_data.' || parent || suffix) is null then
      execute format(
        'create table writ_data.%I partition of writ_data.%I for values from (%L) to (%L)',
        parent || suffix, parent, first_day, next_month
      );
      if parent = 'audit_event' then
        execute format(
          'create trigger append_only_truncate before truncate on writ_data.%I'
          ' for each statement execute function writ_data.refuse_change()',
          parent || suffix
        );
      end if;
      added := added + 1;
    end if;
  end loop;
  return added;
end
$$;

ALTER FUNCTION writ_data.add_partitions(at timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.admit(ids bigint[], environment text, worker_id bigint, now timestamp with time zone, granted bigint[]) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.admit(ids bigint[], environment text, worker_id bigint, now timestamp with time zone, granted bigint[]) OWNER TO writ_owner;

CREATE FUNCTION writ_data.caller() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE current_setting('role'::text) WHEN 'none'::text THEN (SESSION_USER)::text ELSE current_setting('role'::text) END;

ALTER FUNCTION writ_data.caller() OWNER TO writ_owner;

CREATE FUNCTION writ_data.change_grant(job_type text, role_name text, is_granted boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION writ_data.change_grant(job_type text, role_name text, is_granted boolean) OWNER TO writ_owner;

CREATE FUNCTION writ_data.check_definition(spec jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $_$
declare
  type text := spec ->> 'name';
  input jsonb;
  part jsonb;
  names text[] := '{}';
  options constant text[] := array[
    'run_at', 'priority', 'idempotency_key', 'environment', 'queue', 'traceparent'
  ];
begin
  if type is null or type !~ '^[a-z][a-z0-9_]{0,47}$' then
    perform writ_data.refuse_type(
      null, 'the name must be a lower-case letter, then at most 47 lower-case letters, digits or _'
    );
  end if;
  if jsonb_typeof(spec -> 'inputs') is distinct from 'array' then
    perform writ_data.refuse_type(type, 'inputs must be a list');
  end if;
  if jsonb_array_length(spec -> 'inputs') > 60 then
    perform writ_data.refuse_type(type, 'at most 60 inputs are supported');
  end if;
  for input in select value from jsonb_array_elements(spec -> 'inputs')
  loop
    if input ->> 'name' is null or input ->> 'name' !~ '^[a-z][a-z0-9_]{0,62}$' then
      perform writ_data.refuse_type(
        type, 'the name of an input must be a lower-case letter, then lower-case letters, digits or _'
      );
    elsif input ->> 'name' = any (options) then
      perform writ_data.refuse_type(type, 'an input must not be named ' || (input ->> 'name'));
    elsif input ->> 'name' = any (names) then
      perform writ_data.refuse_type(type, 'two inputs are named ' || (input ->> 'name'));
    elsif writ_data.native_type(input ->> 'kind') is null then
      perform writ_data.refuse_type(type, 'the kind of ' || (input ->> 'name') || ' is not known');
    elsif not writ_data.is_portable_pattern(coalesce(input ->> 'pattern', '')) then
      perform writ_data.refuse_type(
        type, 'the pattern of ' || (input ->> 'name') || ' is outside the supported subset'
      );
    end if;
    names := names || (input ->> 'name');
  end loop;
  if jsonb_typeof(spec -> 'subject') = 'array' then
    for part in select value from jsonb_array_elements(spec -> 'subject')
    loop
      if part ? 'input' and not exists (
        select
          from jsonb_array_elements(spec -> 'inputs') as i
         where i ->> 'name' = part ->> 'input'
           and ((i ->> 'required')::boolean or i ? 'default')
           and i ->> 'kind' not in ('json', 'string_array', 'uuid_array', 'integer_array')
      ) then
        perform writ_data.refuse_type(
          type, 'the subject must be made from required inputs that are no lists or objects'
        );
      end if;
    end loop;
  end if;
end
$_$;

ALTER FUNCTION writ_data.check_definition(spec jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.checking_body(spec jsonb) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
  type constant text := spec ->> 'name';
  input jsonb;
  code text := E'#variable_conflict use_variable\ndeclare\n  _payload jsonb;\nbegin\n';
  required text;
  subject text;
  clear text;
  digested text;
  deadline text := 'null';
begin
  for input in select value from jsonb_array_elements(spec -> 'inputs')
  loop
    code := code || writ_data.field_checks(type, input);
  end loop;
  select string_agg(format('%L, %s', i ->> 'name', writ_data.field_json(i)), ', ')
    into required
    from jsonb_array_elements(spec -> 'inputs') as i
   where (i ->> 'required')::boolean;
  code := code || format(E'  _payload := jsonb_build_object(%s);\n', coalesce(required, ''));
  for input in
    select i from jsonb_array_elements(spec -> 'inputs') as i
           where not coalesce((i ->> 'required')::boolean, false)
  loop
    code := code || format(
      E'  if "%s" is not null then\n    _payload := _payload || jsonb_build_object(%L, %s);\n  end if;\n',
      input ->> 'name', input ->> 'name', writ_data.field_json(input)
    );
  end loop;

  if jsonb_typeof(spec -> 'subject') = 'array' then
    select string_agg(
             case
               when part ? 'input' then (
                 select writ_data.field_text(i)
                   from jsonb_array_elements(spec -> 'inputs') as i
                  where i ->> 'name' = part ->> 'input'
               )
               else quote_literal(part ->> 'literal')
             end,
             ' || ' order by position
           )
      into subject
      from jsonb_array_elements(spec -> 'subject') with ordinality as p (part, position);
  end if;
  select string_agg(format('%L, %s', i ->> 'name', writ_data.field_json(i)), ', ')
    into clear
    from jsonb_array_elements(spec -> 'inputs') as i
   where i ->> 'record' = 'clear';
  select string_agg(format('%L, %s', i ->> 'name', writ_data.field_text(i)), ', ')
    into digested
    from jsonb_array_elements(spec -> 'inputs') as i
   where i ->> 'record' = 'digest';
  if spec ->> 'deadline_seconds' is not null then
    deadline := format('%L::interval',
    make_interval(secs => (spec ->> 'deadline_seconds')::numeric));
  end if;
  return code || format(
    E'  return writ_data.add_job(\n    %L, %L, %s, %s, _payload, %s,\n    %s,\n'
    '    run_at, priority, idempotency_key, environment, queue, traceparent\n  );\nend\n',
    type, spec ->> 'hash', (spec ->> 'max_attempts')::int, deadline, coalesce(subject, 'null'),
    case
      when clear is null and digested is null then 'null'
      else format(
        'writ_data.recorded(jsonb_strip_nulls(jsonb_build_object(%s)), jsonb_strip_nulls(jsonb_build_object(%s)))',
        clear, digested
      )
    end
  );
end
$$;

ALTER FUNCTION writ_data.checking_body(spec jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.digest(value text) RETURNS bytea
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    AS $$
declare
  key writ_data.digest_key;
begin
  select k.* into strict key from writ_data.digest_key as k;
  return sha256(key.outer_block || sha256(key.inner_block || convert_to(value, 'UTF8')));
end
$$;

ALTER FUNCTION writ_data.digest(value text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.enqueue_change_plan(user_id uuid, plan_id uuid, status text, current_period_end timestamp with time zone, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_variable
declare
  _payload jsonb;
begin
  if "user_id" is null then
    raise exception using errcode = 'WR001', column = 'user_id', message = 'change_plan: user_id is required',
      hint = 'Pass a value for user_id.';
  end if;
  if "plan_id" is null then
    raise exception using errcode = 'WR001', column = 'plan_id', message = 'change_plan: plan_id is required',
      hint = 'Pass a value for plan_id.';
  end if;
  if "status" is not null then
    if length("status") < 1 then
      raise exception using errcode = 'WR001', column = 'status', message = 'change_plan: status must have at least 1 characters',
      hint = 'Pass a longer text.';
    end if;
    if length("status") > 50 then
      raise exception using errcode = 'WR001', column = 'status', message = 'change_plan: status must have at most 50 characters',
      hint = 'Pass a shorter text.';
    end if;
  end if;
  if "current_period_end" is not null then
    if "current_period_end" not between '0001-01-01T00:00:00Z' and '9999-12-31T23:59:59.999999Z' then
      raise exception using errcode = 'WR001', column = 'current_period_end', message = 'change_plan: current_period_end must be a date and time with an offset',
      hint = 'Pass RFC 3339, such as 2030-01-31T09:30:00Z.';
    end if;
  end if;
  _payload := jsonb_build_object('user_id', "user_id", 'plan_id', "plan_id");
  if "status" is not null then
    _payload := _payload || jsonb_build_object('status', "status");
  end if;
  if "current_period_end" is not null then
    _payload := _payload || jsonb_build_object('current_period_end', to_char("current_period_end" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
  end if;
  return writ_data.add_job(
    'change_plan', '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', 20, null, _payload, "user_id"::text,
    writ_data.recorded(jsonb_strip_nulls(jsonb_build_object('user_id', "user_id", 'plan_id', "plan_id", 'status', "status", 'current_period_end', to_char("current_period_end" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))), jsonb_strip_nulls(jsonb_build_object())),
    run_at, priority, idempotency_key, environment, queue, traceparent
  );
end
$$;

ALTER FUNCTION writ_data.enqueue_change_plan(user_id uuid, plan_id uuid, status text, current_period_end timestamp with time zone, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.enqueue_create_user(email text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_variable
declare
  _payload jsonb;
begin
  if "email" is null then
    raise exception using errcode = 'WR001', column = 'email', message = 'create_user: email is required',
      hint = 'Pass a value for email.';
  end if;
    "email" := lower(btrim("email"));
    if length("email") > 254 or strpos("email", '@') > 65 or "email" !~ '^[!-?A-~]+@[A-Za-z0-9]+(-+[A-Za-z0-9]+)*([.][A-Za-z0-9]+(-+[A-Za-z0-9]+)*)+$' then
      raise exception using errcode = 'WR001', column = 'email', message = 'create_user: email must be an e-mail address',
      hint = 'Pass an address such as name@example.com: no spaces, at most 254 characters.';
    end if;
    if length("email") > 254 then
      raise exception using errcode = 'WR001', column = 'email', message = 'create_user: email must have at most 254 characters',
      hint = 'Pass a shorter text.';
    end if;
  _payload := jsonb_build_object('email', "email");
  return writ_data.add_job(
    'create_user', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 20, null, _payload, "email"::text,
    writ_data.recorded(jsonb_strip_nulls(jsonb_build_object()), jsonb_strip_nulls(jsonb_build_object('email', "email"::text))),
    run_at, priority, idempotency_key, environment, queue, traceparent
  );
end
$_$;

ALTER FUNCTION writ_data.enqueue_create_user(email text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.enqueue_revoke_access(user_id uuid, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_variable
declare
  _payload jsonb;
begin
  if "user_id" is null then
    raise exception using errcode = 'WR001', column = 'user_id', message = 'revoke_access: user_id is required',
      hint = 'Pass a value for user_id.';
  end if;
  _payload := jsonb_build_object('user_id', "user_id");
  return writ_data.add_job(
    'revoke_access', '4e4d297c840b1fe52ce4ba04684f963da298b70609b6daf175e83f04fee481b6', 40, null, _payload, "user_id"::text,
    writ_data.recorded(jsonb_strip_nulls(jsonb_build_object('user_id', "user_id")), jsonb_strip_nulls(jsonb_build_object())),
    run_at, priority, idempotency_key, environment, queue, traceparent
  );
end
$$;

ALTER FUNCTION writ_data.enqueue_revoke_access(user_id uuid, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.enqueue_rotate_api_key(job_type text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_variable
declare
  _payload jsonb;
begin
  if "job_type" is null then
    raise exception using errcode = 'WR001', column = 'job_type', message = 'rotate_api_key: job_type is required',
      hint = 'Pass a value for job_type.';
  end if;
    if length("job_type") > 63 then
      raise exception using errcode = 'WR001', column = 'job_type', message = 'rotate_api_key: job_type must have at most 63 characters',
      hint = 'Pass a shorter text.';
    end if;
    if "job_type" !~ '^[a-z][a-z0-9_]*$' then
      raise exception using errcode = 'WR001', column = 'job_type', message = 'rotate_api_key: job_type must match the pattern ^[a-z][a-z0-9_]*$',
      hint = 'The job type whose key is replaced.';
    end if;
  _payload := jsonb_build_object('job_type', "job_type");
  return writ_data.add_job(
    'rotate_api_key', 'eff3cf0bc70e7c295ad446309b06e69e179dbc0622054e5df16b7505e9748632', 20, null, _payload, "job_type"::text,
    writ_data.recorded(jsonb_strip_nulls(jsonb_build_object('job_type', "job_type")), jsonb_strip_nulls(jsonb_build_object())),
    run_at, priority, idempotency_key, environment, queue, traceparent
  );
end
$_$;

ALTER FUNCTION writ_data.enqueue_rotate_api_key(job_type text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.field_checks(type text, input jsonb) RETURNS text
    LANGUAGE plpgsql
    AS $_$
declare
  field constant text := input ->> 'name';
  kind constant text := input ->> 'kind';
  variable constant text := '"' || (input ->> 'name') || '"';
  form record := writ_data.form_rule(input ->> 'kind');
  code text := '';
  body text := '';
begin
  if input -> 'default' is not null and input -> 'default' <> 'null' then
    code := code || format(
      E'  if %s is null then\n    %s := %L::%s;\n  end if;\n', variable, variable,
      case
        when kind = 'json' then (input -> 'default')::text
        when kind like '%\_array' then (
          select coalesce(array_agg(e),
                 '{}') from jsonb_array_elements_text(input -> 'default') as e
        )::text
        else input ->> 'default'
      end,
      writ_data.native_type(kind)
    );
  end if;
  if input ->> 'normalize' = 'lowercase' then
    body := body || format(E'    %1$s := lower(btrim(%1$s));\n', variable);
  elsif input ->> 'normalize' = 'email' then
    body := body || format(
      E'    %1$s := btrim(%1$s);\n'
      '    %1$s := left(%1$s, strpos(%1$s, ''@'')) || lower(substr(%1$s, strpos(%1$s, ''@'') + 1));\n',
      variable
    );
  end if;

  -- The form of the kind.
  body := body || case kind
    when 'email' then format(
      -- Without bounded repeats, which cost PostgreSQL's matcher ten times the rest of the check.
      E'    if length(%1$s) > 254 or strpos(%1$s, ''@'') > 65 or %1$s !~ %2$L then\n  %3$s    end if;\n', variable,
      '^[!-?A-~]+@[A-Za-z0-9]+(-+[A-Za-z0-9]+)*([.][A-Za-z0-9]+(-+[A-Za-z0-9]+)*)+$',
      writ_data.refusal(type, field, form.rule, form.hint)
    )
    when 'uri' then format(
      E'    if length(%1$s) > 2048 or %1$s !~ %2$L then\n  %3$s    end if;\n', variable,
      '^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$',
      writ_data.refusal(type, field, form.rule, form.hint)
    )
    when 'date_time' then format(
      E'    if %1$s not between ''0001-01-01T00:00:00Z'' and ''9999-12-31T23:59:59.999999Z'' then\n'
      '  %2$s    end if;\n', variable,
      writ_data.refusal(type, field, form.rule, form.hint)
    )
    when 'number' then format(
      E'    if %1$s in (''NaN'', ''Infinity'', ''-Infinity'') then\n  %2$s    end if;\n', variable,
      writ_data.refusal(type, field, form.rule, form.hint)
    )
    when 'json' then format(
      -- A worker reads 256 levels, and a job that no worker can read would stop them all.
      E'    if jsonb_path_exists(%1$s, ''$.**{101}'') then\n  %2$s    end if;\n', variable,
      writ_data.refusal(
        type, field, 'must be nested at most 100 levels deep', 'Pass a flatter value.'
      )
    )
    when 'string_array' then format(
      E'    if array_ndims(%1$s) > 1 or array_position(%1$s, null) is not null then\n  %2$s    end if;\n',
      variable, writ_data.refusal(type, field, form.rule, form.hint)
    )
    when 'uuid_array' then format(
      E'    if array_ndims(%1$s) > 1 or array_position(%1$s, null) is not null then\n  %2$s    end if;\n',
      variable, writ_data.refusal(type, field, form.rule, form.hint)
    )
    when 'integer_array' then format(
      E'    if array_ndims(%1$s) > 1 or array_position(%1$s, null) is not null then\n  %2$s    end if;\n',
      variable, writ_data.refusal(type, field, form.rule, form.hint)
    )
    else ''
  end;

  -- The limits.
  if input ? 'min_length' then
    body := body || format(
      E'    if length(%s) < %s then\n  %s    end if;\n', variable, (input ->> 'min_length')::int,
      writ_data.refusal(
        type, field, 'must have at least ' || (input ->> 'min_length')::int || ' characters',
        'Pass a longer text.'
      )
    );
  end if;
  if input ? 'max_length' then
    body := body || format(
      E'    if length(%s) > %s then\n  %s    end if;\n', variable, (input ->> 'max_length')::int,
      writ_data.refusal(
        type, field, 'must have at most ' || (input ->> 'max_length')::int || ' characters',
        'Pass a shorter text.'
      )
    );
  end if;
  if input ? 'pattern' then
    body := body || format(
      E'    if %s !~ %L then\n  %s    end if;\n', variable, input ->> 'pattern',
      writ_data.refusal(
        type, field, 'must match the pattern ' || (input ->> 'pattern'),
        coalesce(input ->> 'description', 'The pattern is a regular expression.')
      )
    );
  end if;
  if input ? 'enum' then
    body := body || format(
      E'    if %s <> all (%L::text[]) then\n  %s    end if;\n', variable,
      array(select jsonb_array_elements_text(input -> 'enum')),
      writ_data.refusal(
        type, field,
        'must be one of ' || (select string_agg(e,
        ', ') from jsonb_array_elements_text(input -> 'enum') as e),
        'Upper and lower case differ.'
      )
    );
  end if;
  if input ? 'minimum' then
    body := body || format(
      E'    if %s < %s then\n  %s    end if;\n', variable, (input ->> 'minimum')::numeric,
      writ_data.refusal(
        type, field, 'must be at least ' || (input ->> 'minimum')::numeric, 'Pass a greater number.'
      )
    );
  end if;
  if input ? 'maximum' then
    body := body || format(
      E'    if %s > %s then\n  %s    end if;\n', variable, (input ->> 'maximum')::numeric,
      writ_data.refusal(
        type, field, 'must be at most ' || (input ->> 'maximum')::numeric, 'Pass a smaller number.'
      )
    );
  end if;
  if input ? 'min_items' then
    body := body || format(
      E'    if cardinality(%s) < %s then\n  %s    end if;\n', variable,
      (input ->> 'min_items')::int,
      writ_data.refusal(
        type, field, 'must have at least ' || (input ->> 'min_items')::int || ' elements',
        'Pass more elements.'
      )
    );
  end if;
  if input ? 'max_items' then
    body := body || format(
      E'    if cardinality(%s) > %s then\n  %s    end if;\n', variable,
      (input ->> 'max_items')::int,
      writ_data.refusal(
        type, field, 'must have at most ' || (input ->> 'max_items')::int || ' elements',
        'Pass fewer elements.'
      )
    );
  end if;

  if coalesce((input ->> 'required')::boolean, false) then
    return code || format(
      E'  if %s is null then\n%s  end if;\n%s', variable,
      writ_data.refusal(type, field, 'is required', 'Pass a value for ' || field || '.'),
      body
    );
  elsif body = '' then
    return code;
  end if;
  return code || format(E'  if %s is not null then\n%s  end if;\n', variable, body);
end
$_$;

ALTER FUNCTION writ_data.field_checks(type text, input jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.field_json(input jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE (input ->> 'kind'::text) WHEN 'date_time'::text THEN format('to_char("%s" at time zone ''UTC'', ''YYYY-MM-DD"T"HH24:MI:SS.US"Z"'')'::text, (input ->> 'name'::text)) ELSE format('"%s"'::text, (input ->> 'name'::text)) END;

ALTER FUNCTION writ_data.field_json(input jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.field_text(input jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE (input ->> 'kind'::text) WHEN 'date_time'::text THEN writ_data.field_json(input) ELSE format('"%s"::text'::text, (input ->> 'name'::text)) END;

ALTER FUNCTION writ_data.field_text(input jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.form_rule(kind text, OUT rule text, OUT hint text) RETURNS record
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
 SELECT form.rule,
     form.hint
    FROM ( VALUES ('string'::text,'must be a text'::text,'Pass a JSON string.'::text), ('email'::text,'must be an e-mail address'::text,'Pass an address such as name@example.com: no spaces, at most 254 characters.'::text), ('uri'::text,'must be an absolute URI'::text,'Pass a URI such as https://example.com/path.'::text), ('uuid'::text,'must be a UUID'::text,'Pass 32 hex digits as 8-4-4-4-12.'::text), ('date_time'::text,'must be a date and time with an offset'::text,'Pass RFC 3339, such as 2030-01-31T09:30:00Z.'::text), ('integer'::text,'must be an integer'::text,'Pass a whole number of at most 64 bits.'::text), ('number'::text,'must be a number'::text,'Pass a finite JSON number.'::text), ('boolean'::text,'must be true or false'::text,'Pass a boolean.'::text), ('string_array'::text,'must be a list of texts'::text,'Pass an array of strings without nulls.'::text), ('uuid_array'::text,'must be a list of UUIDs'::text,'Pass an array of UUIDs without nulls.'::text), ('integer_array'::text,'must be a list of integers'::text,'Pass an array of whole numbers without nulls.'::text), ('json'::text,'must be JSON'::text,'Pass a well-formed JSON value.'::text)) form(kind, rule, hint)
   WHERE (form.kind = form_rule.kind);
END;

ALTER FUNCTION writ_data.form_rule(kind text, OUT rule text, OUT hint text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.generate(spec jsonb, old_signature text) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
  type constant text := spec ->> 'name';
  native record := writ_data.typed_call(spec, false);
  literal record := writ_data.typed_call(spec, true);
  has_literal boolean := native.signature <> literal.signature;
  new_signature text := native.parameters || case when has_literal then '; ' || literal.parameters
    else '' end;
  grantees oid[];
  grantee oid;
  old record;
  made record;
begin
  select array_agg(distinct acl.grantee)
    into grantees
    from pg_proc as f, aclexplode(f.proacl) as acl
   where f.pronamespace = 'writ'::regnamespace and f.proname = type
     and acl.privilege_type = 'EXECUTE' and acl.grantee <> f.proowner;
  if new_signature is distinct from old_signature then
    for old in
      select f.oid::regprocedure as signature
        from pg_proc as f
       where (f.pronamespace = 'writ'::regnamespace and f.proname = type)
          or (
            f.pronamespace = 'writ_data'::regnamespace
            and f.proname in ('enqueue_' || type, 'json_' || type)
          )
    loop
      execute 'drop function ' || old.signature;
    end loop;
  end if;
  execute format(
    'create or replace function writ_data.%I(%s) returns bigint language plpgsql as %L',
    'enqueue_' || type, replace(native.parameters, ' default null', ''),
    E'\n' || writ_data.checking_body(spec)
  );
  execute format(
    'create or replace function writ_data.%I(_fields jsonb, run_at timestamptz, priority int,'
    ' idempotency_key text, environment text, queue text, traceparent text)'
    ' returns bigint language plpgsql as %L',
    'json_' || type, E'\n' || writ_data.reading_body(spec)
  );
  execute format(
    'create or replace function writ.%I(%s) returns bigint language plpgsql security definer'
    ' set search_path = pg_catalog, pg_temp as %L',
    type, native.parameters, E'\n' || native.body
  );
  if has_literal then
    execute format(
      'create or replace function writ.%I(%s) returns bigint language plpgsql security definer'
      ' set search_path = pg_catalog, pg_temp as %L',
      type, literal.parameters, E'\n' || literal.body
    );
  end if;
  for made in
    select f.oid::regprocedure as signature
      from pg_proc as f
     where f.pronamespace = 'writ'::regnamespace and f.proname = type
  loop
    execute format('comment on function %s is %L', made.signature, coalesce(spec ->> 'description',
    type));
    foreach grantee in array coalesce(grantees, '{}')
    loop
      execute format(
        'grant execute on function %s to %s', made.signature,
        case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end
      );
    end loop;
  end loop;
  return new_signature;
end
$$;

ALTER FUNCTION writ_data.generate(spec jsonb, old_signature text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.is_portable_pattern(pattern text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    AS $_$
begin
  if length(pattern) > 1000
    or pattern ~ '^\*\*\*'
    or pattern ~ '\\[^dws.^$*+?()\[\]{}|/\\-]'
    or pattern ~ '\(\?(?!:)'
    or pattern ~ '\[[:.=]'
    or pattern ~ '[*+?}][?+]'
    or pattern ~ '[[:cntrl:]]'
  then
    return false;
  end if;
  perform '' ~ pattern;
  return true;
exception
  when invalid_regular_expression then return false;
end
$_$;

ALTER FUNCTION writ_data.is_portable_pattern(pattern text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.json_change_plan(_fields jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_variable
declare
  _unknown text;
  "user_id" uuid;
  "plan_id" uuid;
  "status" text;
  "current_period_end" timestamptz;
  _value jsonb;
begin
  if _fields - '{user_id,plan_id,status,current_period_end}'::text[] <> '{}' then
    select min(_key) into _unknown
      from jsonb_object_keys(_fields - '{user_id,plan_id,status,current_period_end}'::text[]) as _key
     where _key ~ '^[A-Za-z_][A-Za-z0-9_]{0,62}$';
    raise exception using
      errcode = 'WR001', column = coalesce(_unknown, 'payload'), message = 'change_plan: ' || coalesce(
        'unknown field ' || _unknown, 'a field of the payload is not known'
      ),
      hint = 'The fields are: user_id, plan_id, status, current_period_end.';
  end if;
  _value := _fields -> 'user_id';
  if _value <> 'null' then
    if jsonb_typeof(_value) <> 'string' or _value #>> '{}' !~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then
      raise exception using errcode = 'WR001', column = 'user_id', message = 'change_plan: user_id must be a UUID',
      hint = 'Pass 32 hex digits as 8-4-4-4-12.';
    end if;
    "user_id" := (_value #>> '{}')::uuid;
  end if;
  _value := _fields -> 'plan_id';
  if _value <> 'null' then
    if jsonb_typeof(_value) <> 'string' or _value #>> '{}' !~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then
      raise exception using errcode = 'WR001', column = 'plan_id', message = 'change_plan: plan_id must be a UUID',
      hint = 'Pass 32 hex digits as 8-4-4-4-12.';
    end if;
    "plan_id" := (_value #>> '{}')::uuid;
  end if;
  _value := _fields -> 'status';
  if _value <> 'null' then
    if jsonb_typeof(_value) <> 'string' then
      raise exception using errcode = 'WR001', column = 'status', message = 'change_plan: status must be a text',
      hint = 'Pass a JSON string.';
    end if;
    "status" := (_value #>> '{}')::text;
  end if;
  _value := _fields -> 'current_period_end';
  if _value <> 'null' then
    if jsonb_typeof(_value) <> 'string' or writ_data.read_date_time(_value #>> '{}') is null then
      raise exception using errcode = 'WR001', column = 'current_period_end', message = 'change_plan: current_period_end must be a date and time with an offset',
      hint = 'Pass RFC 3339, such as 2030-01-31T09:30:00Z.';
    end if;
    "current_period_end" := writ_data.read_date_time(_value #>> '{}');
  end if;
  return writ_data.enqueue_change_plan("user_id", "plan_id", "status", "current_period_end", run_at, priority, idempotency_key, environment, queue, traceparent);
end
$_$;

ALTER FUNCTION writ_data.json_change_plan(_fields jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.json_create_user(_fields jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_variable
declare
  _unknown text;
  "email" text;
  _value jsonb;
begin
  if _fields - '{email}'::text[] <> '{}' then
    select min(_key) into _unknown
      from jsonb_object_keys(_fields - '{email}'::text[]) as _key
     where _key ~ '^[A-Za-z_][A-Za-z0-9_]{0,62}$';
    raise exception using
      errcode = 'WR001', column = coalesce(_unknown, 'payload'), message = 'create_user: ' || coalesce(
        'unknown field ' || _unknown, 'a field of the payload is not known'
      ),
      hint = 'The fields are: email.';
  end if;
  _value := _fields -> 'email';
  if _value <> 'null' then
    if jsonb_typeof(_value) <> 'string' then
      raise exception using errcode = 'WR001', column = 'email', message = 'create_user: email must be an e-mail address',
      hint = 'Pass an address such as name@example.com: no spaces, at most 254 characters.';
    end if;
    "email" := (_value #>> '{}')::text;
  end if;
  return writ_data.enqueue_create_user("email", run_at, priority, idempotency_key, environment, queue, traceparent);
end
$_$;

ALTER FUNCTION writ_data.json_create_user(_fields jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.json_revoke_access(_fields jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_variable
declare
  _unknown text;
  "user_id" uuid;
  _value jsonb;
begin
  if _fields - '{user_id}'::text[] <> '{}' then
    select min(_key) into _unknown
      from jsonb_object_keys(_fields - '{user_id}'::text[]) as _key
     where _key ~ '^[A-Za-z_][A-Za-z0-9_]{0,62}$';
    raise exception using
      errcode = 'WR001', column = coalesce(_unknown, 'payload'), message = 'revoke_access: ' || coalesce(
        'unknown field ' || _unknown, 'a field of the payload is not known'
      ),
      hint = 'The fields are: user_id.';
  end if;
  _value := _fields -> 'user_id';
  if _value <> 'null' then
    if jsonb_typeof(_value) <> 'string' or _value #>> '{}' !~ '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$' then
      raise exception using errcode = 'WR001', column = 'user_id', message = 'revoke_access: user_id must be a UUID',
      hint = 'Pass 32 hex digits as 8-4-4-4-12.';
    end if;
    "user_id" := (_value #>> '{}')::uuid;
  end if;
  return writ_data.enqueue_revoke_access("user_id", run_at, priority, idempotency_key, environment, queue, traceparent);
end
$_$;

ALTER FUNCTION writ_data.json_revoke_access(_fields jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.json_rotate_api_key(_fields jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_variable
declare
  _unknown text;
  "job_type" text;
  _value jsonb;
begin
  if _fields - '{job_type}'::text[] <> '{}' then
    select min(_key) into _unknown
      from jsonb_object_keys(_fields - '{job_type}'::text[]) as _key
     where _key ~ '^[A-Za-z_][A-Za-z0-9_]{0,62}$';
    raise exception using
      errcode = 'WR001', column = coalesce(_unknown, 'payload'), message = 'rotate_api_key: ' || coalesce(
        'unknown field ' || _unknown, 'a field of the payload is not known'
      ),
      hint = 'The fields are: job_type.';
  end if;
  _value := _fields -> 'job_type';
  if _value <> 'null' then
    if jsonb_typeof(_value) <> 'string' then
      raise exception using errcode = 'WR001', column = 'job_type', message = 'rotate_api_key: job_type must be a text',
      hint = 'Pass a JSON string.';
    end if;
    "job_type" := (_value #>> '{}')::text;
  end if;
  return writ_data.enqueue_rotate_api_key("job_type", run_at, priority, idempotency_key, environment, queue, traceparent);
end
$_$;

ALTER FUNCTION writ_data.json_rotate_api_key(_fields jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.lock_gates(environment text, types text[]) RETURNS void
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.lock_gates(environment text, types text[]) OWNER TO writ_owner;

CREATE FUNCTION writ_data.looks_secret(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (value ~ 'sk_[0-9A-Za-z]{4,}_[0-9A-Za-z]{8,}|eyJ[0-9A-Za-z_-]{6,}\.[0-9A-Za-z_-]{6,}|-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY|[Bb][Ee][Aa][Rr][Ee][Rr] +[0-9A-Za-z._~+/=-]{8,}|(AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{30,}|github_pat_[0-9A-Za-z_]{30,}|glpat-[0-9A-Za-z_-]{20,}|xox[abeprs]-[0-9A-Za-z-]{10,}|AIza[0-9A-Za-z_-]{35}'::text);

ALTER FUNCTION writ_data.looks_secret(value text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.may_order(type text, role_name text) RETURNS boolean
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT (EXISTS ( SELECT
            FROM pg_proc f
           WHERE ((f.pronamespace = ('writ'::regnamespace)::oid) AND (f.proname = may_order.type) AND has_function_privilege((may_order.role_name)::name, f.oid, 'execute'::text)))) AS "exists";
END;

ALTER FUNCTION writ_data.may_order(type text, role_name text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.native_type(kind text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE kind WHEN 'string'::text THEN 'text'::text WHEN 'email'::text THEN 'text'::text WHEN 'uri'::text THEN 'text'::text WHEN 'uuid'::text THEN 'uuid'::text WHEN 'date_time'::text THEN 'timestamptz'::text WHEN 'integer'::text THEN 'bigint'::text WHEN 'number'::text THEN 'numeric'::text WHEN 'boolean'::text THEN 'boolean'::text WHEN 'string_array'::text THEN 'text[]'::text WHEN 'uuid_array'::text THEN 'uuid[]'::text WHEN 'integer_array'::text THEN 'bigint[]'::text WHEN 'json'::text THEN 'jsonb'::text ELSE NULL::text END;

ALTER FUNCTION writ_data.native_type(kind text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.ordered_inputs(inputs jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
 SELECT COALESCE(jsonb_agg(i.value ORDER BY (i."position" = COALESCE(lead.first_as_text, (0)::bigint)) DESC, COALESCE(((i.value ->> 'required'::text))::boolean, false) DESC, i."position"), '[]'::jsonb) AS "coalesce"
    FROM jsonb_array_elements(ordered_inputs.inputs) WITH ORDINALITY i(value, "position"),
     LATERAL ( SELECT ( SELECT c."position"
                    FROM jsonb_array_elements(ordered_inputs.inputs) WITH ORDINALITY c(value, "position")
                   WHERE ((c.value ->> 'kind'::text) = ANY (ARRAY['uuid'::text, 'date_time'::text, 'json'::text]))
                   ORDER BY COALESCE(((c.value ->> 'required'::text))::boolean, false) DESC, c."position"
                  LIMIT 1) AS "position") lead(first_as_text);
END;

ALTER FUNCTION writ_data.ordered_inputs(inputs jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.park(ids bigint[], reason writ_data.waiting_reason, worker_id bigint, now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.park(ids bigint[], reason writ_data.waiting_reason, worker_id bigint, now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.read_date_time(value text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    AS $_$
begin
  if value !~ ('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:'
    '([0-5][0-9]|60)([.][0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$')
  then
    return null;
  end if;
  return value::timestamptz;
exception
  when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value
  then return null;
end
$_$;

ALTER FUNCTION writ_data.read_date_time(value text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.read_json(value text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  return value::jsonb;
exception
  when data_exception or program_limit_exceeded then return null;
end
$$;

ALTER FUNCTION writ_data.read_json(value text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.reading_body(spec jsonb) RETURNS text
    LANGUAGE plpgsql
    AS $_$
declare
  type constant text := spec ->> 'name';
  input jsonb;
  kind text;
  form record;
  names text[] := array(select i ->> 'name' from jsonb_array_elements(spec -> 'inputs') as i);
  code text := E'#variable_conflict use_variable\ndeclare\n  _unknown text;\n';
  checks text := '';
  test text;
begin
  for input in select value from jsonb_array_elements(spec -> 'inputs')
  loop
    kind := input ->> 'kind';
    form := writ_data.form_rule(kind);
    code := code || format(E'  "%s" %s;\n', input ->> 'name', writ_data.native_type(kind));
    test := case kind
      when 'integer' then
        '(case jsonb_typeof(_value) when ''number'' then (_value #>> ''{}'')::numeric % 1 <> 0'
        ' or (_value #>> ''{}'')::numeric not between -9223372036854775808 and 9223372036854775807'
        ' else true end)'
      when 'number' then 'jsonb_typeof(_value) <> ''number'''
      when 'boolean' then 'jsonb_typeof(_value) <> ''boolean'''
      when 'uuid' then
        'jsonb_typeof(_value) <> ''string'' or _value #>> ''{}'''
        ' !~ ''^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$'''
      when 'date_time' then
        'jsonb_typeof(_value) <> ''string'' or writ_data.read_date_time(_value #>> ''{}'') is null'
      when 'string_array' then
        'jsonb_typeof(_value) <> ''array'' or jsonb_path_exists(_value, ''strict $[*] ? (@.type() != "string")'')'
      when 'uuid_array' then
        'jsonb_typeof(_value) <> ''array'' or jsonb_path_exists(_value, ''strict $[*] ? (!(@ like_regex'
        ' "^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$"))'')'
        ' or jsonb_path_exists(_value, ''strict $[*] ? (@.type() != "string")'')'
      when 'integer_array' then
        'jsonb_typeof(_value) <> ''array'' or exists (select from jsonb_array_elements(_value) as _e'
        ' where case jsonb_typeof(_e) when ''number'' then (_e #>> ''{}'')::numeric % 1 <> 0'
        ' or (_e #>> ''{}'')::numeric not between -9223372036854775808 and 9223372036854775807'
        ' else true end)'
      when 'json' then 'false'
      else 'jsonb_typeof(_value) <> ''string'''
    end;
    checks := checks || format(
      E'  _value := _fields -> %L;\n  if _value <> ''null'' then\n', input ->> 'name'
    );
    if test <> 'false' then
      checks := checks || format(
        E'    if %s then\n  %s    end if;\n', test,
        writ_data.refusal(
          type, input ->> 'name',
          form.rule, form.hint
        )
      );
    end if;
    checks := checks || format(
      E'    "%s" := %s;\n  end if;\n', input ->> 'name',
      case kind
        when 'json' then '_value'
        when 'date_time' then 'writ_data.read_date_time(_value #>> ''{}'')'
        when 'string_array' then 'array(select jsonb_array_elements_text(_value))'
        when 'uuid_array' then 'array(select _e::uuid from jsonb_array_elements_text(_value) as _e)'
        when 'integer_array' then 'array(select _e::numeric::bigint from jsonb_array_elements_text(_value) as _e)'
        when 'integer' then '(_value #>> ''{}'')::numeric::bigint'
        else format('(_value #>> ''{}'')::%s', writ_data.native_type(kind))
      end
    );
  end loop;
  return code || format(
    E'  _value jsonb;\nbegin\n'
    '  if _fields - %1$L::text[] <> ''{}'' then\n'
    '    select min(_key) into _unknown\n'
    '      from jsonb_object_keys(_fields - %1$L::text[]) as _key\n'
    '     where _key ~ ''^[A-Za-z_][A-Za-z0-9_]{0,62}$'';\n'
    '    raise exception using\n'
    '      errcode = ''WR001'', column = coalesce(_unknown, ''payload''), message = %2$L || coalesce(\n'
    '        ''unknown field '' || _unknown, ''a field of the payload is not known''\n'
    '      ),\n      hint = %3$L;\n  end if;\n',
    names, type || ': ',
    case when names = '{}' then 'This job type has no fields.' else 'The fields are: '
      || array_to_string(names, ', ') || '.' end
  ) || checks || format(
    E'  return writ_data.%I(%s);\nend\n', 'enqueue_' || type,
    (
      select string_agg(name, ', ' order by position)
        from (
          select format('"%s"', i.value ->> 'name') as name, i.position
            from jsonb_array_elements(spec -> 'inputs') with ordinality as i (value, position)
          union all
          select o.name, 1000 + o.position
            from unnest(array['run_at', 'priority', 'idempotency_key', 'environment', 'queue',
            'traceparent'])
                 with ordinality as o (name, position)
        ) as arguments
    )
  );
end
$_$;

ALTER FUNCTION writ_data.reading_body(spec jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.recorded(clear jsonb, digested jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
declare
  field record;
  shown jsonb := coalesce(clear, '{}');
begin
  if digested is not null and digested <> '{}' then
    for field in select key, value from jsonb_each_text(digested)
    loop
      shown := shown || jsonb_build_object(
        field.key, 'hmac-sha256:' || encode(writ_data.digest(field.value), 'hex')
      );
    end loop;
  end if;
  return nullif(shown, '{}');
end
$$;

ALTER FUNCTION writ_data.recorded(clear jsonb, digested jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.refusal(type text, field text, rule text, hint text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN format('    raise exception using errcode = ''WR001'', column = %L, message = %L,
      hint = %L;
'::text, field, ((((type || ': '::text) || field) || ' '::text) || rule), hint);

ALTER FUNCTION writ_data.refusal(type text, field text, rule text, hint text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  raise exception using
    errcode = 'WR010',
    message = 'audit events are append-only: ' || lower(tg_op) || ' is refused',
    hint = 'Old months leave by dropping their partition, which the retention job does.';
end
$$;

ALTER FUNCTION writ_data.refuse_change() OWNER TO writ_owner;

CREATE FUNCTION writ_data.refuse_job(rule text, hint text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  raise exception using errcode = 'WR008', column = 'job_id', message = rule, hint = hint;
end
$$;

ALTER FUNCTION writ_data.refuse_job(rule text, hint text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.refuse_type(type text, rule text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  raise exception using
    errcode = 'WR009', message = coalesce(type, 'job type') || ': ' || rule,
    hint = 'writ types check names the place in the file.';
end
$$;

ALTER FUNCTION writ_data.refuse_type(type text, rule text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.replay_obstacle(job_id bigint, OUT rule text, OUT hint text, OUT is_forcible boolean) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.replay_obstacle(job_id bigint, OUT rule text, OUT hint text, OUT is_forcible boolean) OWNER TO writ_owner;

CREATE FUNCTION writ_data.typed_call(spec jsonb, as_text boolean, OUT parameters text, OUT signature text, OUT body text) RETURNS record
    LANGUAGE plpgsql
    AS $_$
declare
  type constant text := spec ->> 'name';
  input jsonb;
  kind text;
  native text;
  form record;
  converts boolean;
  -- A function with two overloads needs one parameter that both cannot take: the first, without a
  -- default.
  is_first boolean := true;
  arguments text := '';
  checks text := '';
begin
  parameters := '';
  signature := '';
  for input in select value from jsonb_array_elements(spec -> 'inputs')
  loop
    kind := input ->> 'kind';
    native := writ_data.native_type(kind);
    form := writ_data.form_rule(kind);
    converts := as_text and kind in ('uuid', 'date_time', 'json');
    parameters := parameters || format(
      '"%s" %s%s, ', input ->> 'name', case when converts then 'text' else native end,
      case when as_text and is_first then '' else ' default null' end
    );
    signature := signature || case when converts then 'text, ' else native || ', ' end;
    if not converts then
      arguments := arguments || format('"%s", ', input ->> 'name');
    elsif kind = 'uuid' then
      checks := checks || format(
        E'  if "%1$s" !~ ''^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$'' then\n%2$s  end if;\n',
        input ->> 'name', writ_data.refusal(type, input ->> 'name', form.rule, form.hint)
      );
      arguments := arguments || format('"%s"::uuid, ', input ->> 'name');
    else
      checks := checks || format(
        E'  if "%1$s" is not null and writ_data.%2$s("%1$s") is null then\n%3$s  end if;\n',
        input ->> 'name', case kind when 'json' then 'read_json' else 'read_date_time' end,
        writ_data.refusal(type, input ->> 'name', form.rule, form.hint)
      );
      arguments := arguments || format(
        'writ_data.%2$s("%1$s"), ', input ->> 'name',
        case kind when 'json' then 'read_json' else 'read_date_time' end
      );
    end if;
    is_first := false;
  end loop;
  parameters := parameters || 'run_at timestamptz default null, priority int default null,'
    ' idempotency_key text default null, environment text default null, queue text default null,'
    ' traceparent text default null';
  signature := signature || 'timestamptz, int, text, text, text, text';
  body := format(
    E'begin\n%s  return writ_data.%I(\n    %srun_at, priority, idempotency_key, environment, queue, traceparent\n  );\nend\n',
    checks, 'enqueue_' || type, arguments
  );
end
$_$;

ALTER FUNCTION writ_data.typed_call(spec jsonb, as_text boolean, OUT parameters text, OUT signature text, OUT body text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.unpark_subjects(environments text[], subjects text[], now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.unpark_subjects(environments text[], subjects text[], now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.unpark_type(environment text, type text, now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.unpark_type(environment text, type text, now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.wake(queue text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  if exists (select from writ_data.worker where is_idle and state = 'live') then
    perform pg_notify('writ_wake', queue);
  end if;
end
$$;

ALTER FUNCTION writ_data.wake(queue text) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.claim(worker_id bigint, queue text, environment text, max_jobs integer, lower_bounds bigint[]) RETURNS TABLE(id bigint, type text, definition_hash text, payload jsonb, subject text, attempt integer, failures integer, max_attempts integer, unresolved boolean, past_deadline boolean, cancel_requested boolean, traceparent text, priority smallint, claim_order bigint, enqueued_at timestamp with time zone, journal jsonb, exhausted boolean, snapshot_xmin bigint, snapshot_xmax bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $_$
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
$_$;

ALTER FUNCTION writ_worker.claim(worker_id bigint, queue text, environment text, max_jobs integer, lower_bounds bigint[]) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.definition(hash text) RETURNS TABLE(type text, arazzo_path text, arazzo text, sources jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
begin
  return query
    select d.type, d.arazzo_path, d.arazzo, d.sources from writ_data.definition as d
           where d.hash = $1;
end
$_$;

ALTER FUNCTION writ_worker.definition(hash text) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.definition_hash(type text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
  return (select t.definition_hash from writ_data.job_type as t where t.name = $1);
end
$_$;

ALTER FUNCTION writ_worker.definition_hash(type text) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.deregister(worker_id bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ_worker.deregister(worker_id bigint) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.record(worker_id bigint, entries jsonb) RETURNS TABLE(job_id bigint, accepted boolean, cancel_requested boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $_$
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
$_$;

ALTER FUNCTION writ_worker.record(worker_id bigint, entries jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.register(name text, host text, pid integer, version text, lease interval) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION writ_worker.register(name text, host text, pid integer, version text, lease interval) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.renew(worker_id bigint, lease interval, is_idle boolean) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ_worker.renew(worker_id bigint, lease interval, is_idle boolean) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.set_idle(worker_id bigint, is_idle boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
begin
  update writ_data.worker as w
     set is_idle = $2
   where w.id = $1 and w.state = 'live' and w.is_idle is distinct from $2;
  return found;
end
$_$;

ALTER FUNCTION writ_worker.set_idle(worker_id bigint, is_idle boolean) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.sweep(max_jobs integer) RETURNS TABLE(lost_workers integer, returned integer, promoted integer, unparked integer, next_due_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $_$
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
$_$;

ALTER FUNCTION writ_worker.sweep(max_jobs integer) OWNER TO writ_owner;

SET default_tablespace = '';

CREATE TABLE writ_data.audit_event (
    id bigint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    job_id bigint,
    worker_id bigint,
    duration_us bigint,
    attempt integer,
    http_status integer,
    from_state writ_data.job_state,
    to_state writ_data.job_state,
    waiting_reason writ_data.waiting_reason,
    event writ_data.audit_event_kind NOT NULL,
    type text,
    environment text,
    step text,
    role_name text NOT NULL,
    actor text,
    outcome text,
    error_code text,
    definition_hash text,
    subject_digest bytea,
    recorded jsonb
)
PARTITION BY RANGE (occurred_at);

ALTER TABLE writ_data.audit_event OWNER TO writ_owner;

COMMENT ON TABLE writ_data.audit_event IS 'Who moved what, when, from which state to which. Append-only.';

CREATE VIEW writ.audit_event AS
 SELECT audit_event.id,
    audit_event.occurred_at,
    (audit_event.event)::text AS event,
    audit_event.job_id,
    audit_event.attempt,
    audit_event.type,
    audit_event.environment,
    (audit_event.from_state)::text AS from_state,
    (audit_event.to_state)::text AS to_state,
    (audit_event.waiting_reason)::text AS waiting_reason,
    audit_event.step,
    audit_event.role_name,
    audit_event.actor,
    audit_event.worker_id,
    encode(audit_event.subject_digest, 'hex'::text) AS subject_digest,
    audit_event.outcome,
    audit_event.http_status,
    audit_event.error_code,
    audit_event.duration_us,
    audit_event.definition_hash,
    audit_event.recorded
   FROM writ_data.audit_event;

ALTER TABLE writ.audit_event OWNER TO writ_owner;

COMMENT ON VIEW writ.audit_event IS 'The trail: who moved what, when, from which state to which.';

SET default_table_access_method = heap;

CREATE TABLE writ_data.definition (
    hash text NOT NULL,
    type text NOT NULL,
    arazzo_path text NOT NULL,
    arazzo text NOT NULL,
    sources jsonb NOT NULL,
    published_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    published_by text NOT NULL,
    CONSTRAINT definition_arazzo_check CHECK ((octet_length(arazzo) <= 1048576)),
    CONSTRAINT definition_hash_check CHECK ((hash ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT definition_sources_check CHECK ((jsonb_typeof(sources) = 'array'::text))
);

ALTER TABLE writ_data.definition OWNER TO writ_owner;

COMMENT ON TABLE writ_data.definition IS 'Every definition that was ever published, under its hash.';

CREATE VIEW writ.definition AS
 SELECT definition.hash,
    definition.type,
    definition.arazzo_path,
    definition.arazzo,
    definition.sources,
    definition.published_at,
    definition.published_by
   FROM writ_data.definition;

ALTER TABLE writ.definition OWNER TO writ_owner;

COMMENT ON VIEW writ.definition IS 'Every definition that was ever published.';

CREATE TABLE writ_data.environment (
    name text NOT NULL,
    is_default boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT environment_name_check CHECK ((name ~ '^[a-z][a-z0-9_-]{0,62}$'::text))
);

ALTER TABLE writ_data.environment OWNER TO writ_owner;

COMMENT ON TABLE writ_data.environment IS 'Where jobs take effect; one of them is the default.';

CREATE VIEW writ.environment AS
 SELECT environment.name,
    environment.is_default,
    environment.created_at
   FROM writ_data.environment;

ALTER TABLE writ.environment OWNER TO writ_owner;

COMMENT ON VIEW writ.environment IS 'Where jobs take effect.';

CREATE SEQUENCE writ_data.job_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER TABLE writ_data.job_id OWNER TO writ_owner;

CREATE TABLE writ_data.job (
    id bigint DEFAULT nextval('writ_data.job_id'::regclass) NOT NULL,
    claim_order bigint,
    run_at timestamp with time zone NOT NULL,
    enqueued_at timestamp with time zone NOT NULL,
    deadline_at timestamp with time zone,
    claimed_at timestamp with time zone,
    waiting_since timestamp with time zone,
    worker_id bigint,
    attempt writ_data.tally DEFAULT 0 NOT NULL,
    failures writ_data.tally DEFAULT 0 NOT NULL,
    max_attempts writ_data.attempt_limit NOT NULL,
    state writ_data.job_state NOT NULL,
    waiting_reason writ_data.waiting_reason,
    priority writ_data.job_priority NOT NULL,
    unresolved boolean DEFAULT false NOT NULL,
    cancel_requested boolean DEFAULT false NOT NULL,
    is_limited boolean DEFAULT false NOT NULL,
    type text NOT NULL,
    environment text NOT NULL,
    queue text NOT NULL,
    definition_hash text NOT NULL,
    subject text,
    subject_digest bytea,
    enqueued_by text NOT NULL,
    actor text,
    idempotency_key text,
    traceparent text,
    payload writ_data.json_object NOT NULL,
    last_error jsonb,
    CONSTRAINT job_state_has_its_columns CHECK (((state < 'completed'::writ_data.job_state) AND ((state = 'available'::writ_data.job_state) = (claim_order IS NOT NULL)) AND ((state = 'running'::writ_data.job_state) = (worker_id IS NOT NULL)) AND ((state = 'waiting'::writ_data.job_state) = (waiting_reason IS NOT NULL)) AND ((waiting_since IS NULL) = (waiting_reason IS NULL))))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0.05');

ALTER TABLE writ_data.job OWNER TO writ_owner;

COMMENT ON TABLE writ_data.job IS 'Every unfinished job. What is finished moves to job_history.';

COMMENT ON COLUMN writ_data.job.claim_order IS 'Place in the line; below zero is the front lane.';

COMMENT ON COLUMN writ_data.job.attempt IS 'How often it was claimed: the fencing token, only grows.';

COMMENT ON COLUMN writ_data.job.failures IS 'Attempts that count against max_attempts.';

COMMENT ON COLUMN writ_data.job.unresolved IS 'A request may have left that nobody recorded.';

COMMENT ON COLUMN writ_data.job.is_limited IS 'Running and counted against the limit of its type.';

CREATE TABLE writ_data.job_history (
    id bigint NOT NULL,
    run_at timestamp with time zone NOT NULL,
    enqueued_at timestamp with time zone NOT NULL,
    deadline_at timestamp with time zone,
    claimed_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    worker_id bigint,
    attempt integer NOT NULL,
    failures integer NOT NULL,
    max_attempts integer NOT NULL,
    state writ_data.job_state NOT NULL,
    priority smallint NOT NULL,
    unresolved boolean NOT NULL,
    type text NOT NULL,
    environment text NOT NULL,
    queue text NOT NULL,
    definition_hash text NOT NULL,
    subject text,
    subject_digest bytea,
    enqueued_by text NOT NULL,
    actor text,
    idempotency_key text,
    traceparent text,
    payload jsonb NOT NULL,
    last_error jsonb,
    result jsonb,
    CONSTRAINT job_history_state_check CHECK ((state = ANY (ARRAY['completed'::writ_data.job_state, 'discarded'::writ_data.job_state, 'cancelled'::writ_data.job_state])))
)
PARTITION BY RANGE (finished_at);

ALTER TABLE writ_data.job_history OWNER TO writ_owner;

COMMENT ON TABLE writ_data.job_history IS 'Finished jobs, by the month in which they finished.';

CREATE VIEW writ.job AS
 SELECT job.id,
    job.type,
    job.environment,
    job.queue,
    job.priority,
    (job.state)::text AS state,
    (job.waiting_reason)::text AS waiting_reason,
    job.run_at,
    job.attempt,
    job.failures,
    job.max_attempts,
    job.unresolved,
    job.cancel_requested,
    job.worker_id,
    job.subject,
    job.definition_hash,
    job.idempotency_key,
    job.traceparent,
    job.enqueued_at,
    job.enqueued_by,
    job.actor,
    job.claimed_at,
    job.deadline_at,
    job.waiting_since,
    NULL::timestamp with time zone AS finished_at,
    job.last_error,
    NULL::jsonb AS result,
    job.payload,
    job.claim_order
   FROM writ_data.job
UNION ALL
 SELECT job_history.id,
    job_history.type,
    job_history.environment,
    job_history.queue,
    job_history.priority,
    (job_history.state)::text AS state,
    NULL::text AS waiting_reason,
    job_history.run_at,
    job_history.attempt,
    job_history.failures,
    job_history.max_attempts,
    job_history.unresolved,
    false AS cancel_requested,
    job_history.worker_id,
    job_history.subject,
    job_history.definition_hash,
    job_history.idempotency_key,
    job_history.traceparent,
    job_history.enqueued_at,
    job_history.enqueued_by,
    job_history.actor,
    job_history.claimed_at,
    job_history.deadline_at,
    NULL::timestamp with time zone AS waiting_since,
    job_history.finished_at,
    job_history.last_error,
    job_history.result,
    job_history.payload,
    NULL::bigint AS claim_order
   FROM writ_data.job_history;

ALTER TABLE writ.job OWNER TO writ_owner;

COMMENT ON VIEW writ.job IS 'Every job, unfinished and finished.';

CREATE VIEW writ.job_summary AS
 SELECT job.type,
    job.environment,
    job.queue,
    (job.state)::text AS state,
    (job.waiting_reason)::text AS waiting_reason,
    count(*) AS jobs,
    min(job.enqueued_at) AS oldest_enqueued_at
   FROM writ_data.job
  GROUP BY job.type, job.environment, job.queue, job.state, job.waiting_reason;

ALTER TABLE writ.job_summary OWNER TO writ_owner;

COMMENT ON VIEW writ.job_summary IS 'How many unfinished jobs there are, by type and state.';

CREATE TABLE writ_data.job_type (
    name text NOT NULL,
    definition_hash text NOT NULL,
    generator integer NOT NULL,
    signature text NOT NULL,
    description text,
    inputs jsonb NOT NULL,
    subject jsonb,
    max_attempts integer NOT NULL,
    concurrency integer,
    deadline interval,
    replay text NOT NULL,
    published_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    published_by text NOT NULL,
    CONSTRAINT job_type_concurrency_check CHECK (((concurrency >= 1) AND (concurrency <= 100000))),
    CONSTRAINT job_type_deadline_check CHECK ((deadline > '00:00:00'::interval)),
    CONSTRAINT job_type_inputs_check CHECK ((jsonb_typeof(inputs) = 'array'::text)),
    CONSTRAINT job_type_max_attempts_check CHECK (((max_attempts >= 1) AND (max_attempts <= 1000))),
    CONSTRAINT job_type_name_check CHECK ((name ~ '^[a-z][a-z0-9_]{0,47}$'::text)),
    CONSTRAINT job_type_replay_check CHECK ((replay = ANY (ARRAY['safe'::text, 'review'::text, 'never'::text]))),
    CONSTRAINT job_type_subject_check CHECK ((jsonb_typeof(subject) = 'array'::text))
);

ALTER TABLE writ_data.job_type OWNER TO writ_owner;

COMMENT ON TABLE writ_data.job_type IS 'The types that can be ordered now, each with its current definition.';

CREATE VIEW writ.job_type AS
 SELECT job_type.name,
    job_type.description,
    job_type.definition_hash,
    job_type.inputs,
    job_type.subject,
    job_type.max_attempts,
    job_type.concurrency,
    job_type.deadline,
    job_type.replay,
    job_type.published_at,
    job_type.published_by
   FROM writ_data.job_type;

ALTER TABLE writ.job_type OWNER TO writ_owner;

COMMENT ON VIEW writ.job_type IS 'The types that can be ordered now.';

CREATE TABLE writ_data.journal (
    job_id bigint NOT NULL,
    intent_at timestamp with time zone NOT NULL,
    outcome_at timestamp with time zone,
    duration_us bigint,
    seq integer NOT NULL,
    attempt integer NOT NULL,
    status integer,
    step text NOT NULL,
    effect text NOT NULL,
    result text,
    error_code text,
    outputs jsonb,
    action jsonb,
    CONSTRAINT journal_attempt_check CHECK ((attempt > 0)),
    CONSTRAINT journal_duration_us_check CHECK ((duration_us >= 0)),
    CONSTRAINT journal_outcome_has_result CHECK (((outcome_at IS NULL) = (result IS NULL))),
    CONSTRAINT journal_result_check CHECK ((result = ANY (ARRAY['succeeded'::text, 'failed'::text, 'ambiguous'::text]))),
    CONSTRAINT journal_seq_check CHECK ((seq > 0)),
    CONSTRAINT journal_status_check CHECK (((status >= 100) AND (status <= 599)))
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_cost_delay='0');

ALTER TABLE writ_data.journal OWNER TO writ_owner;

COMMENT ON TABLE writ_data.journal IS 'Steps of unfinished jobs: what was meant, and what came back.';

CREATE TABLE writ_data.journal_history (
    job_id bigint NOT NULL,
    intent_at timestamp with time zone NOT NULL,
    outcome_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    duration_us bigint,
    seq integer NOT NULL,
    attempt integer NOT NULL,
    status integer,
    step text NOT NULL,
    effect text NOT NULL,
    result text,
    error_code text,
    outputs jsonb,
    action jsonb
)
PARTITION BY RANGE (finished_at);

ALTER TABLE writ_data.journal_history OWNER TO writ_owner;

COMMENT ON TABLE writ_data.journal_history IS 'The journals of finished jobs.';

CREATE VIEW writ.journal AS
 SELECT journal.job_id,
    journal.seq,
    journal.attempt,
    journal.step,
    journal.effect,
    journal.result,
    journal.status,
    journal.error_code,
    journal.intent_at,
    journal.outcome_at,
    journal.duration_us,
    journal.outputs,
    journal.action,
    NULL::timestamp with time zone AS finished_at
   FROM writ_data.journal
UNION ALL
 SELECT journal_history.job_id,
    journal_history.seq,
    journal_history.attempt,
    journal_history.step,
    journal_history.effect,
    journal_history.result,
    journal_history.status,
    journal_history.error_code,
    journal_history.intent_at,
    journal_history.outcome_at,
    journal_history.duration_us,
    journal_history.outputs,
    journal_history.action,
    journal_history.finished_at
   FROM writ_data.journal_history;

ALTER TABLE writ.journal OWNER TO writ_owner;

COMMENT ON VIEW writ.journal IS 'What each step meant to do, and what came back.';

CREATE TABLE writ_data.worker (
    id bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    heartbeat_at timestamp with time zone NOT NULL,
    lease_expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    pid integer NOT NULL,
    state writ_data.worker_state DEFAULT 'live'::writ_data.worker_state NOT NULL,
    is_idle boolean DEFAULT false NOT NULL,
    is_swept boolean DEFAULT false NOT NULL,
    name text NOT NULL,
    host text NOT NULL,
    version text NOT NULL,
    role_name text NOT NULL,
    CONSTRAINT worker_ended CHECK (((state = 'live'::writ_data.worker_state) = (ended_at IS NULL))),
    CONSTRAINT worker_host_check CHECK (((length(host) >= 1) AND (length(host) <= 255))),
    CONSTRAINT worker_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT worker_version_check CHECK (((length(version) >= 1) AND (length(version) <= 100)))
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='200', autovacuum_vacuum_scale_factor='0');

ALTER TABLE writ_data.worker OWNER TO writ_owner;

COMMENT ON TABLE writ_data.worker IS 'Processes that take jobs; one lease covers all jobs of a worker.';

CREATE VIEW writ.worker AS
 SELECT worker.id,
    worker.name,
    worker.host,
    worker.pid,
    worker.version,
    worker.role_name,
    worker.started_at,
    worker.heartbeat_at,
    worker.lease_expires_at,
    worker.ended_at,
        CASE
            WHEN ((worker.state = 'live'::writ_data.worker_state) AND (worker.lease_expires_at <= clock_timestamp())) THEN 'lost'::text
            ELSE (worker.state)::text
        END AS state,
    worker.is_idle
   FROM writ_data.worker;

ALTER TABLE writ.worker OWNER TO writ_owner;

COMMENT ON VIEW writ.worker IS 'Processes that take jobs.';

CREATE TABLE writ_data.audit_event_default (
    id bigint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    job_id bigint,
    worker_id bigint,
    duration_us bigint,
    attempt integer,
    http_status integer,
    from_state writ_data.job_state,
    to_state writ_data.job_state,
    waiting_reason writ_data.waiting_reason,
    event writ_data.audit_event_kind NOT NULL,
    type text,
    environment text,
    step text,
    role_name text NOT NULL,
    actor text,
    outcome text,
    error_code text,
    definition_hash text,
    subject_digest bytea,
    recorded jsonb
);

ALTER TABLE writ_data.audit_event_default OWNER TO writ_owner;

ALTER TABLE writ_data.audit_event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME writ_data.audit_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE writ_data.audit_event_y2026m11 (
    id bigint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    job_id bigint,
    worker_id bigint,
    duration_us bigint,
    attempt integer,
    http_status integer,
    from_state writ_data.job_state,
    to_state writ_data.job_state,
    waiting_reason writ_data.waiting_reason,
    event writ_data.audit_event_kind NOT NULL,
    type text,
    environment text,
    step text,
    role_name text NOT NULL,
    actor text,
    outcome text,
    error_code text,
    definition_hash text,
    subject_digest bytea,
    recorded jsonb
);

ALTER TABLE writ_data.audit_event_y2026m11 OWNER TO writ_owner;

CREATE TABLE writ_data.audit_event_y2026m12 (
    id bigint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    job_id bigint,
    worker_id bigint,
    duration_us bigint,
    attempt integer,
    http_status integer,
    from_state writ_data.job_state,
    to_state writ_data.job_state,
    waiting_reason writ_data.waiting_reason,
    event writ_data.audit_event_kind NOT NULL,
    type text,
    environment text,
    step text,
    role_name text NOT NULL,
    actor text,
    outcome text,
    error_code text,
    definition_hash text,
    subject_digest bytea,
    recorded jsonb
);

ALTER TABLE writ_data.audit_event_y2026m12 OWNER TO writ_owner;

CREATE SEQUENCE writ_data.claim_order
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER TABLE writ_data.claim_order OWNER TO writ_owner;

CREATE TABLE writ_data.digest_key (
    singleton boolean DEFAULT true NOT NULL,
    inner_block bytea NOT NULL,
    outer_block bytea NOT NULL,
    CONSTRAINT digest_key_inner_block_check CHECK ((length(inner_block) = 64)),
    CONSTRAINT digest_key_outer_block_check CHECK ((length(outer_block) = 64)),
    CONSTRAINT digest_key_singleton_check CHECK (singleton)
);

ALTER TABLE writ_data.digest_key OWNER TO writ_owner;

COMMENT ON TABLE writ_data.digest_key IS 'The key of the digests that stand for personal data.';

CREATE TABLE writ_data.gate (
    environment text NOT NULL,
    type text NOT NULL
);

ALTER TABLE writ_data.gate OWNER TO writ_owner;

COMMENT ON TABLE writ_data.gate IS 'One row a limited type: whoever counts its jobs locks it.';

CREATE TABLE writ_data.idempotency_key (
    environment text NOT NULL,
    type text NOT NULL,
    key text NOT NULL,
    job_id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    payload_digest bytea NOT NULL
);

ALTER TABLE writ_data.idempotency_key OWNER TO writ_owner;

COMMENT ON TABLE writ_data.idempotency_key IS 'Which key stands for which job; kept at least 30 days.';

CREATE TABLE writ_data.job_history_default (
    id bigint NOT NULL,
    run_at timestamp with time zone NOT NULL,
    enqueued_at timestamp with time zone NOT NULL,
    deadline_at timestamp with time zone,
    claimed_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    worker_id bigint,
    attempt integer NOT NULL,
    failures integer NOT NULL,
    max_attempts integer NOT NULL,
    state writ_data.job_state NOT NULL,
    priority smallint NOT NULL,
    unresolved boolean NOT NULL,
    type text NOT NULL,
    environment text NOT NULL,
    queue text NOT NULL,
    definition_hash text NOT NULL,
    subject text,
    subject_digest bytea,
    enqueued_by text NOT NULL,
    actor text,
    idempotency_key text,
    traceparent text,
    payload jsonb NOT NULL,
    last_error jsonb,
    result jsonb,
    CONSTRAINT job_history_state_check CHECK ((state = ANY (ARRAY['completed'::writ_data.job_state, 'discarded'::writ_data.job_state, 'cancelled'::writ_data.job_state])))
);

ALTER TABLE writ_data.job_history_default OWNER TO writ_owner;

CREATE TABLE writ_data.job_history_y2026m11 (
    id bigint NOT NULL,
    run_at timestamp with time zone NOT NULL,
    enqueued_at timestamp with time zone NOT NULL,
    deadline_at timestamp with time zone,
    claimed_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    worker_id bigint,
    attempt integer NOT NULL,
    failures integer NOT NULL,
    max_attempts integer NOT NULL,
    state writ_data.job_state NOT NULL,
    priority smallint NOT NULL,
    unresolved boolean NOT NULL,
    type text NOT NULL,
    environment text NOT NULL,
    queue text NOT NULL,
    definition_hash text NOT NULL,
    subject text,
    subject_digest bytea,
    enqueued_by text NOT NULL,
    actor text,
    idempotency_key text,
    traceparent text,
    payload jsonb NOT NULL,
    last_error jsonb,
    result jsonb,
    CONSTRAINT job_history_state_check CHECK ((state = ANY (ARRAY['completed'::writ_data.job_state, 'discarded'::writ_data.job_state, 'cancelled'::writ_data.job_state])))
);

ALTER TABLE writ_data.job_history_y2026m11 OWNER TO writ_owner;

CREATE TABLE writ_data.job_history_y2026m12 (
    id bigint NOT NULL,
    run_at timestamp with time zone NOT NULL,
    enqueued_at timestamp with time zone NOT NULL,
    deadline_at timestamp with time zone,
    claimed_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    worker_id bigint,
    attempt integer NOT NULL,
    failures integer NOT NULL,
    max_attempts integer NOT NULL,
    state writ_data.job_state NOT NULL,
    priority smallint NOT NULL,
    unresolved boolean NOT NULL,
    type text NOT NULL,
    environment text NOT NULL,
    queue text NOT NULL,
    definition_hash text NOT NULL,
    subject text,
    subject_digest bytea,
    enqueued_by text NOT NULL,
    actor text,
    idempotency_key text,
    traceparent text,
    payload jsonb NOT NULL,
    last_error jsonb,
    result jsonb,
    CONSTRAINT job_history_state_check CHECK ((state = ANY (ARRAY['completed'::writ_data.job_state, 'discarded'::writ_data.job_state, 'cancelled'::writ_data.job_state])))
);

ALTER TABLE writ_data.job_history_y2026m12 OWNER TO writ_owner;

CREATE TABLE writ_data.journal_history_default (
    job_id bigint NOT NULL,
    intent_at timestamp with time zone NOT NULL,
    outcome_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    duration_us bigint,
    seq integer NOT NULL,
    attempt integer NOT NULL,
    status integer,
    step text NOT NULL,
    effect text NOT NULL,
    result text,
    error_code text,
    outputs jsonb,
    action jsonb
);

ALTER TABLE writ_data.journal_history_default OWNER TO writ_owner;

CREATE TABLE writ_data.journal_history_y2026m11 (
    job_id bigint NOT NULL,
    intent_at timestamp with time zone NOT NULL,
    outcome_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    duration_us bigint,
    seq integer NOT NULL,
    attempt integer NOT NULL,
    status integer,
    step text NOT NULL,
    effect text NOT NULL,
    result text,
    error_code text,
    outputs jsonb,
    action jsonb
);

ALTER TABLE writ_data.journal_history_y2026m11 OWNER TO writ_owner;

CREATE TABLE writ_data.journal_history_y2026m12 (
    job_id bigint NOT NULL,
    intent_at timestamp with time zone NOT NULL,
    outcome_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    duration_us bigint,
    seq integer NOT NULL,
    attempt integer NOT NULL,
    status integer,
    step text NOT NULL,
    effect text NOT NULL,
    result text,
    error_code text,
    outputs jsonb,
    action jsonb
);

ALTER TABLE writ_data.journal_history_y2026m12 OWNER TO writ_owner;

CREATE TABLE writ_data.schema_migration (
    version integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    applied_by text DEFAULT SESSION_USER NOT NULL,
    duration_ms integer,
    CONSTRAINT schema_migration_duration_ms_check CHECK ((duration_ms >= 0)),
    CONSTRAINT schema_migration_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT schema_migration_version_check CHECK ((version > 0))
);

ALTER TABLE writ_data.schema_migration OWNER TO writ_owner;

COMMENT ON TABLE writ_data.schema_migration IS 'Which migration was applied when, by whom, with which text.';

CREATE TABLE writ_data.subject_slot (
    environment text NOT NULL,
    subject text NOT NULL,
    job_id bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_cost_delay='0');

ALTER TABLE writ_data.subject_slot OWNER TO writ_owner;

COMMENT ON TABLE writ_data.subject_slot IS 'For each subject, the job that has started and not finished.';

CREATE TABLE writ_data.sweep_state (
    singleton boolean DEFAULT true NOT NULL,
    due_from timestamp with time zone NOT NULL,
    full_at timestamp with time zone NOT NULL,
    CONSTRAINT sweep_state_singleton_check CHECK (singleton)
)
WITH (fillfactor='10');

ALTER TABLE writ_data.sweep_state OWNER TO writ_owner;

COMMENT ON TABLE writ_data.sweep_state IS 'Where the sweeper starts to look for due jobs, and when it last looked everywhere.';

ALTER TABLE writ_data.worker ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME writ_data.worker_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY writ_data.audit_event ATTACH PARTITION writ_data.audit_event_default DEFAULT;

ALTER TABLE ONLY writ_data.audit_event ATTACH PARTITION writ_data.audit_event_y2026m11 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');

ALTER TABLE ONLY writ_data.audit_event ATTACH PARTITION writ_data.audit_event_y2026m12 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');

ALTER TABLE ONLY writ_data.job_history ATTACH PARTITION writ_data.job_history_default DEFAULT;

ALTER TABLE ONLY writ_data.job_history ATTACH PARTITION writ_data.job_history_y2026m11 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');

ALTER TABLE ONLY writ_data.job_history ATTACH PARTITION writ_data.job_history_y2026m12 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');

ALTER TABLE ONLY writ_data.journal_history ATTACH PARTITION writ_data.journal_history_default DEFAULT;

ALTER TABLE ONLY writ_data.journal_history ATTACH PARTITION writ_data.journal_history_y2026m11 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');

ALTER TABLE ONLY writ_data.journal_history ATTACH PARTITION writ_data.journal_history_y2026m12 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');

INSERT INTO writ_data.audit_event_y2026m11 VALUES
	(1, '2026-11-24 18:13:58.97173+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'type_published', 'change_plan', NULL, NULL, 'promise_admin', NULL, NULL, NULL, '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', NULL, NULL),
	(2, '2026-11-24 18:13:59.005243+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'type_published', 'create_user', NULL, NULL, 'promise_admin', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', NULL, NULL),
	(3, '2026-11-24 18:13:59.017591+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'type_published', 'revoke_access', NULL, NULL, 'promise_admin', NULL, NULL, NULL, '4e4d297c840b1fe52ce4ba04684f963da298b70609b6daf175e83f04fee481b6', NULL, NULL),
	(4, '2026-11-24 18:13:59.033544+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'type_published', 'rotate_api_key', NULL, NULL, 'promise_admin', NULL, NULL, NULL, 'eff3cf0bc70e7c295ad446309b06e69e179dbc0622054e5df16b7505e9748632', NULL, NULL),
	(5, '2026-11-24 18:13:59.121049+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'type_granted', 'create_user', NULL, NULL, 'promise_admin', NULL, NULL, NULL, NULL, NULL, '{"grantee": "promise_enqueuer"}'),
	(6, '2026-11-24 18:13:59.188013+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'type_granted', 'change_plan', NULL, NULL, 'promise_admin', NULL, NULL, NULL, NULL, NULL, '{"grantee": "promise_enqueuer"}'),
	(7, '2026-11-24 18:13:59.25541+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'type_granted', 'revoke_access', NULL, NULL, 'promise_admin', NULL, NULL, NULL, NULL, NULL, '{"grantee": "promise_enqueuer"}'),
	(8, '2026-11-24 18:13:59.307659+00', 1, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'create_user', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x56bf16a613856a51c0494d8160eca412ea71b2a3a976468089a9e9b76ec9462f', '{"email": "hmac-sha256:56bf16a613856a51c0494d8160eca412ea71b2a3a976468089a9e9b76ec9462f"}'),
	(9, '2026-11-24 18:13:59.314986+00', 2, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'create_user', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x0f13790d1a2ab269ca426d21cd985b22f9938ba93ed582be9fe0eb9c969a0b40', '{"email": "hmac-sha256:0f13790d1a2ab269ca426d21cd985b22f9938ba93ed582be9fe0eb9c969a0b40"}'),
	(10, '2026-11-24 18:13:59.315434+00', 3, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'create_user', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\xd8f8c1e9d1180a842e19382ba20afe473d7a2a38748f2ad18331384848cd8f40', '{"email": "hmac-sha256:d8f8c1e9d1180a842e19382ba20afe473d7a2a38748f2ad18331384848cd8f40"}'),
	(11, '2026-11-24 18:13:59.317385+00', 4, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'change_plan', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', '\x1cef05fd383e7b58fc4efdf27ab03ea2f08fedb1d6bfa23520c44a63ebe3b91d', '{"plan_id": "614f5601-77dc-4567-be8b-cf144dd4fc9a", "user_id": "00000000-0000-4000-8000-000000000009"}'),
	(12, '2026-11-24 18:13:59.318468+00', 5, NULL, NULL, NULL, NULL, NULL, 'scheduled', NULL, 'enqueued', 'create_user', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\xce253272eaecafee49226abba51e7e2c18d7e956b3d3dfec614379587eaa6a86', '{"email": "hmac-sha256:ce253272eaecafee49226abba51e7e2c18d7e956b3d3dfec614379587eaa6a86"}'),
	(13, '2026-11-24 18:13:59.36795+00', 5, NULL, NULL, 0, NULL, 'scheduled', 'cancelled', NULL, 'cancelled', 'create_user', 'default', NULL, 'promise_admin', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\xce253272eaecafee49226abba51e7e2c18d7e956b3d3dfec614379587eaa6a86', '{"forced": false}'),
	(14, '2026-11-24 18:13:59.474841+00', NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, 'worker_registered', NULL, NULL, NULL, 'promise_worker', NULL, NULL, NULL, NULL, NULL, '{"host": "vm", "name": "old", "version": "0.1.0"}'),
	(15, '2026-11-24 18:13:59.498577+00', 1, 1, NULL, 1, NULL, 'available', 'running', NULL, 'claimed', 'create_user', 'default', NULL, 'promise_worker', NULL, NULL, NULL, NULL, '\x56bf16a613856a51c0494d8160eca412ea71b2a3a976468089a9e9b76ec9462f', NULL),
	(16, '2026-11-24 18:13:59.498577+00', 2, 1, NULL, 1, NULL, 'available', 'running', NULL, 'claimed', 'create_user', 'default', NULL, 'promise_worker', NULL, NULL, NULL, NULL, '\x0f13790d1a2ab269ca426d21cd985b22f9938ba93ed582be9fe0eb9c969a0b40', NULL),
	(17, '2026-11-24 18:13:59.498577+00', 3, 1, NULL, 1, NULL, 'available', 'running', NULL, 'claimed', 'create_user', 'default', NULL, 'promise_worker', NULL, NULL, NULL, NULL, '\xd8f8c1e9d1180a842e19382ba20afe473d7a2a38748f2ad18331384848cd8f40', NULL),
	(18, '2026-11-24 18:13:59.498577+00', 4, 1, NULL, 1, NULL, 'available', 'running', NULL, 'claimed', 'change_plan', 'default', NULL, 'promise_worker', NULL, NULL, NULL, NULL, '\x1cef05fd383e7b58fc4efdf27ab03ea2f08fedb1d6bfa23520c44a63ebe3b91d', NULL),
	(19, '2026-11-24 18:13:59.640423+00', 2, 1, 27306, 1, 201, NULL, NULL, NULL, 'step', 'create_user', 'default', 'create', 'promise_worker', NULL, 'succeeded', NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x0f13790d1a2ab269ca426d21cd985b22f9938ba93ed582be9fe0eb9c969a0b40', '{"status": 201, "user_id": "f55a4fab-153e-4bb6-82e3-a951f8d6d4eb"}'),
	(20, '2026-11-24 18:13:59.640423+00', 2, 1, NULL, 1, NULL, 'running', 'completed', NULL, 'completed', 'create_user', 'default', NULL, 'promise_worker', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x0f13790d1a2ab269ca426d21cd985b22f9938ba93ed582be9fe0eb9c969a0b40', '{"user_id": "f55a4fab-153e-4bb6-82e3-a951f8d6d4eb"}'),
	(21, '2026-11-24 18:13:59.666162+00', 3, 1, 49209, 1, 201, NULL, NULL, NULL, 'step', 'create_user', 'default', 'create', 'promise_worker', NULL, 'succeeded', NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\xd8f8c1e9d1180a842e19382ba20afe473d7a2a38748f2ad18331384848cd8f40', '{"status": 201, "user_id": "06249a9c-e83b-42a0-a39e-f21ebb6b1e47"}'),
	(22, '2026-11-24 18:13:59.666162+00', 3, 1, NULL, 1, NULL, 'running', 'completed', NULL, 'completed', 'create_user', 'default', NULL, 'promise_worker', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\xd8f8c1e9d1180a842e19382ba20afe473d7a2a38748f2ad18331384848cd8f40', '{"user_id": "06249a9c-e83b-42a0-a39e-f21ebb6b1e47"}'),
	(23, '2026-11-24 18:13:59.666162+00', 1, 1, 23124, 1, 201, NULL, NULL, NULL, 'step', 'create_user', 'default', 'create', 'promise_worker', NULL, 'succeeded', NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x56bf16a613856a51c0494d8160eca412ea71b2a3a976468089a9e9b76ec9462f', '{"status": 201, "user_id": "da1be7f5-6462-4ccf-a46e-30f940259b43"}'),
	(24, '2026-11-24 18:13:59.666162+00', 1, 1, NULL, 1, NULL, 'running', 'completed', NULL, 'completed', 'create_user', 'default', NULL, 'promise_worker', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x56bf16a613856a51c0494d8160eca412ea71b2a3a976468089a9e9b76ec9462f', '{"user_id": "da1be7f5-6462-4ccf-a46e-30f940259b43"}'),
	(25, '2026-11-24 18:13:59.679584+00', 4, 1, 5405, 1, 404, NULL, NULL, NULL, 'step', 'change_plan', 'default', 'read_current', 'promise_worker', NULL, 'failed', 'NOT_FOUND', '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', '\x1cef05fd383e7b58fc4efdf27ab03ea2f08fedb1d6bfa23520c44a63ebe3b91d', NULL),
	(26, '2026-11-24 18:13:59.679584+00', 4, 1, NULL, 1, 404, 'running', 'discarded', NULL, 'discarded', 'change_plan', 'default', 'read_current', 'promise_worker', NULL, NULL, 'user_not_linked', '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', '\x1cef05fd383e7b58fc4efdf27ab03ea2f08fedb1d6bfa23520c44a63ebe3b91d', NULL),
	(27, '2026-11-24 18:14:07.565594+00', 6, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'create_user', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x8c1ba853119c334cc6399252eff1e49845ae65ce83901da22b325f2d67f2616d', '{"email": "hmac-sha256:8c1ba853119c334cc6399252eff1e49845ae65ce83901da22b325f2d67f2616d"}'),
	(28, '2026-11-24 18:14:07.581518+00', 7, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'change_plan', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', '\xd3c40a6a842dd3993bfd301a1030866681d297367180370430c873e423e97530', '{"plan_id": "614f5601-77dc-4567-be8b-cf144dd4fc9a", "user_id": "4687e965-68c4-4210-9c44-2a5c3c97d714"}'),
	(29, '2026-11-24 18:14:07.583229+00', 6, 1, NULL, 1, NULL, 'available', 'running', NULL, 'claimed', 'create_user', 'default', NULL, 'promise_worker', NULL, NULL, NULL, NULL, '\x8c1ba853119c334cc6399252eff1e49845ae65ce83901da22b325f2d67f2616d', NULL),
	(30, '2026-11-24 18:14:07.588754+00', 8, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'change_plan', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', '\xd3c40a6a842dd3993bfd301a1030866681d297367180370430c873e423e97530', '{"plan_id": "a53c36d7-6cec-49e0-b585-27120fbbe785", "user_id": "4687e965-68c4-4210-9c44-2a5c3c97d714"}'),
	(31, '2026-11-24 18:14:07.591181+00', 7, 1, NULL, 1, NULL, 'available', 'running', NULL, 'claimed', 'change_plan', 'default', NULL, 'promise_worker', NULL, NULL, NULL, NULL, '\xd3c40a6a842dd3993bfd301a1030866681d297367180370430c873e423e97530', NULL),
	(32, '2026-11-24 18:14:07.593192+00', 9, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'create_user', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x4d6e0f98d7c62be3dc19cc3229ce7801c8e31616208eef3431392246414372f9', '{"email": "hmac-sha256:4d6e0f98d7c62be3dc19cc3229ce7801c8e31616208eef3431392246414372f9"}'),
	(33, '2026-11-24 18:14:07.597731+00', 8, 1, NULL, 0, NULL, 'available', 'waiting', 'predecessor', 'parked', 'change_plan', 'default', NULL, 'promise_worker', NULL, NULL, NULL, NULL, '\xd3c40a6a842dd3993bfd301a1030866681d297367180370430c873e423e97530', NULL),
	(34, '2026-11-24 18:14:07.599336+00', 9, 1, NULL, 1, NULL, 'available', 'running', NULL, 'claimed', 'create_user', 'default', NULL, 'promise_worker', NULL, NULL, NULL, NULL, '\x4d6e0f98d7c62be3dc19cc3229ce7801c8e31616208eef3431392246414372f9', NULL),
	(35, '2026-11-24 18:14:10.439916+00', 10, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'create_user', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x3db704e26019cdcd819b1ca4216b49f392a394aa575dc6bb2f403412201f7168', '{"email": "hmac-sha256:3db704e26019cdcd819b1ca4216b49f392a394aa575dc6bb2f403412201f7168"}'),
	(36, '2026-11-24 18:14:10.473013+00', 11, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'create_user', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x3db704e26019cdcd819b1ca4216b49f392a394aa575dc6bb2f403412201f7168', '{"email": "hmac-sha256:3db704e26019cdcd819b1ca4216b49f392a394aa575dc6bb2f403412201f7168"}'),
	(37, '2026-11-24 18:14:10.477079+00', 12, NULL, NULL, NULL, NULL, NULL, 'scheduled', NULL, 'enqueued', 'create_user', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x224544297961b4bf5d093cf693b23643c6b8dc01b6f520601b9c94902f7e600e', '{"email": "hmac-sha256:224544297961b4bf5d093cf693b23643c6b8dc01b6f520601b9c94902f7e600e"}'),
	(38, '2026-11-24 18:14:10.487635+00', 13, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'create_user', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x1aa2fef9585ef6729dcdfe437efb8616ef75d620861b2ff788968e1cb74ed8c1', '{"email": "hmac-sha256:1aa2fef9585ef6729dcdfe437efb8616ef75d620861b2ff788968e1cb74ed8c1"}'),
	(39, '2026-11-24 18:14:25.228609+00', 14, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'change_plan', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', '\x0abe6ba872ebf005bdf4986f74b42080981a154f42c8e0d73fbe5b70e7413a04', '{"plan_id": "614f5601-77dc-4567-be8b-cf144dd4fc9a", "user_id": "9fb9aad1-c505-4349-b7b6-77c17d40430c"}'),
	(40, '2026-11-24 18:14:25.242075+00', 15, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'create_user', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x1b34688de0a5ad74458b7cf57bf27e0605591607dea45ce2c677b9603def989d', '{"email": "hmac-sha256:1b34688de0a5ad74458b7cf57bf27e0605591607dea45ce2c677b9603def989d"}'),
	(41, '2026-11-24 18:14:25.243277+00', 16, NULL, NULL, NULL, NULL, NULL, 'available', NULL, 'enqueued', 'create_user', 'default', NULL, 'promise_enqueuer', NULL, NULL, NULL, 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x69f6e1c118e26c3d287eddc0c60bd80f2e68998e3b9e6cee8190f9067f28272a', '{"email": "hmac-sha256:69f6e1c118e26c3d287eddc0c60bd80f2e68998e3b9e6cee8190f9067f28272a"}'),
	(42, '2026-11-24 18:14:25.320842+00', NULL, 2, NULL, NULL, NULL, NULL, NULL, NULL, 'worker_registered', NULL, NULL, NULL, 'promise_worker', NULL, NULL, NULL, NULL, NULL, '{"host": "here", "name": "side", "version": "0.1.0"}'),
	(43, '2026-11-24 18:14:25.335066+00', 14, 2, NULL, 1, NULL, 'available', 'running', NULL, 'claimed', 'change_plan', 'default', NULL, 'promise_worker', NULL, NULL, NULL, NULL, '\x0abe6ba872ebf005bdf4986f74b42080981a154f42c8e0d73fbe5b70e7413a04', NULL),
	(44, '2026-11-24 18:14:25.335066+00', 15, 2, NULL, 1, NULL, 'available', 'running', NULL, 'claimed', 'create_user', 'default', NULL, 'promise_worker', NULL, NULL, NULL, NULL, '\x1b34688de0a5ad74458b7cf57bf27e0605591607dea45ce2c677b9603def989d', NULL),
	(45, '2026-11-24 18:14:25.335066+00', 16, 2, NULL, 1, NULL, 'available', 'running', NULL, 'claimed', 'create_user', 'default', NULL, 'promise_worker', NULL, NULL, NULL, NULL, '\x69f6e1c118e26c3d287eddc0c60bd80f2e68998e3b9e6cee8190f9067f28272a', NULL),
	(46, '2026-11-24 18:14:46.168618+00', 14, 2, 2000, 1, 200, NULL, NULL, NULL, 'step', 'change_plan', 'default', 'read_current', 'promise_worker', NULL, 'succeeded', NULL, '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', '\x0abe6ba872ebf005bdf4986f74b42080981a154f42c8e0d73fbe5b70e7413a04', NULL),
	(47, '2026-11-24 18:14:46.168618+00', 14, 2, 10, 1, 200, NULL, NULL, NULL, 'step', 'change_plan', 'default', 'settle_terms', 'promise_worker', NULL, 'succeeded', NULL, '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', '\x0abe6ba872ebf005bdf4986f74b42080981a154f42c8e0d73fbe5b70e7413a04', NULL),
	(48, '2026-11-24 18:14:46.168618+00', 15, 2, NULL, 1, NULL, 'running', 'retryable', NULL, 'retried', 'create_user', 'default', NULL, 'promise_worker', NULL, NULL, 'bad_gateway', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x1b34688de0a5ad74458b7cf57bf27e0605591607dea45ce2c677b9603def989d', NULL),
	(49, '2026-11-24 18:14:46.168618+00', 16, 2, NULL, 1, NULL, 'running', 'waiting', 'review', 'review_requested', 'create_user', 'default', NULL, 'promise_worker', NULL, NULL, 'undecided', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', '\x69f6e1c118e26c3d287eddc0c60bd80f2e68998e3b9e6cee8190f9067f28272a', NULL);

INSERT INTO writ_data.definition VALUES
	('01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', 'change_plan', 'change_plan.arazzo.yaml', 'arazzo: 1.0.1
info:
  title: Change the plan of a user
  version: 1.0.0
  summary: Moves a user''s subscription to another plan, or gives him a first one.
sourceDescriptions:
  - name: authos
    url: openapi/authos.yaml
    type: openapi
  - name: writ
    url: openapi/writ.yaml
    type: openapi
workflows:
  - workflowId: change_plan
    summary: Move a user''s subscription to another plan
    description: |
      AuthOS cannot change a plan: the subscription has to be removed and made again, and in between there is
      none. So everything that the new one needs is read and on record before the old one goes.

      Status and period end of the old subscription are kept unless the order says otherwise. A user without a
      subscription gets one. If AuthOS refuses the new plan, the old subscription comes back and the job is
      discarded. If another writer (a billing webhook, an administrator) got in between, a person decides.

      A user who is not linked to the service is refused. Old orders are not replayed without a look: they
      would overwrite newer plans.
    x-writ:
      jobType: change_plan
      subject: $inputs.user_id
      retry: {maxAttempts: 20, base: PT1S, cap: PT5M}
      requestTimeout: PT35S
      replay: review
    inputs:
      type: object
      required: [user_id, plan_id]
      properties:
        user_id:
          type: string
          format: uuid
          x-writ: {record: clear}
        plan_id:
          type: string
          format: uuid
          description: The plan that the user shall have.
          x-writ: {record: clear}
        status:
          type: string
          minLength: 1
          maxLength: 50
          description: AuthOS takes any text; `active` alone counts as active. Left out, the old one is kept.
          x-writ: {record: clear}
        current_period_end:
          type: string
          format: date-time
          description: |
            When the paid period ends, best in whole seconds. Left out, the old one is kept; for a first
            subscription AuthOS then takes 30 days from the moment of the call.
          x-writ: {record: clear}
    steps:
      - stepId: read_current
        description: |
          An update with nothing in it is the only read of a subscription that tells the true period end on
          every database.
        operationId: $sourceDescriptions.authos.updateSubscription
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        requestBody:
          contentType: application/json
          payload: {}
        successCriteria:
          - condition: $statusCode == 200
        onSuccess:
          - name: already_as_ordered
            type: end
            criteria:
              - condition: $response.body#/plan_id == $inputs.plan_id
              - condition: $inputs.status == null && $inputs.current_period_end == null
          - name: only_the_terms_change
            type: goto
            stepId: set_terms
            criteria:
              - condition: $response.body#/plan_id == $inputs.plan_id
        onFailure:
          - name: user_not_linked
            type: end
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error == ''User not found or has not authenticated with this service''
            x-writ: {outcome: discard, reason: The user is not known to the service.}
          - name: no_subscription
            type: goto
            stepId: create_first
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error == ''Subscription not found for this user and service''
        outputs:
          plan_id: $response.body#/plan_id
          status: $response.body#/status
          current_period_end: $response.body#/current_period_end
        x-writ:
          effect: none
          reason: With an empty object AuthOS writes nothing and answers with the stored row.
          outputs:
            plan_id: {record: clear}
            status: {record: clear}
            current_period_end: {record: clear}

      - stepId: settle_terms
        description: What the order says about status and period end, else what the old subscription has.
        operationId: $sourceDescriptions.writ.firstOfEach
        requestBody:
          contentType: application/json
          payload:
            status: [$inputs.status, $steps.read_current.outputs.status]
            current_period_end: [$inputs.current_period_end, $steps.read_current.outputs.current_period_end]
        outputs:
          status: $response.body#/status
          current_period_end: $response.body#/current_period_end

      - stepId: remove_old
        description: |
          From here to the end of the next step the user has no subscription. What was read and settled is
          durable before this request leaves.
        operationId: $sourceDescriptions.authos.deleteSubscription
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        onFailure:
          - name: already_gone
            type: goto
            stepId: create_new
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error == ''Subscription not found for this user and service''
        x-writ:
          inDoubt: {goto: check_removed}

      - stepId: create_new
        operationId: $sourceDescriptions.authos.createSubscription
        requestBody:
          contentType: application/json
          payload:
            user_id: $inputs.user_id
            plan_id: $inputs.plan_id
            status: $steps.settle_terms.outputs.status
            current_period_end: $steps.settle_terms.outputs.current_period_end
        successCriteria:
          - condition: $statusCode == 200
          - condition: $response.body#/plan_id == $inputs.plan_id
        onSuccess:
          - name: done
            type: end
        onFailure:
          - name: plan_refused
            type: goto
            stepId: restore_old
            criteria:
              - condition: >-
                  ($statusCode == 404 && $response.body#/error == ''Plan not found'')
                  || ($statusCode == 403 && $response.body#/error == ''Plan does not belong to this service'')
                  || $statusCode == 400 || $statusCode == 422
        outputs:
          plan_id: $response.body#/plan_id
          status: $response.body#/status
          current_period_end: $response.body#/current_period_end
        x-writ:
          # 500 is also the answer to a second subscription: like every doubt, it is settled by looking.
          inDoubt: {goto: check_created}
          outputs:
            plan_id: {record: clear}
            status: {record: clear}
            current_period_end: {record: clear}

      - stepId: set_terms
        description: The plan is right already; status and period end are put as ordered.
        operationId: $sourceDescriptions.authos.updateSubscription
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        requestBody:
          contentType: application/json
          payload:
            status: $inputs.status
            current_period_end: $inputs.current_period_end
        successCriteria:
          - condition: $statusCode == 200
        onSuccess:
          - name: done
            type: end
        outputs:
          plan_id: $response.body#/plan_id
          status: $response.body#/status
          current_period_end: $response.body#/current_period_end
        x-writ:
          inDoubt: resend
          outputs:
            plan_id: {record: clear}
            status: {record: clear}
            current_period_end: {record: clear}

      - stepId: create_first
        description: The user has no subscription yet, so there is nothing to keep and nothing to bring back.
        operationId: $sourceDescriptions.authos.createSubscription
        requestBody:
          contentType: application/json
          payload:
            user_id: $inputs.user_id
            plan_id: $inputs.plan_id
            status: $inputs.status
            current_period_end: $inputs.current_period_end
        successCriteria:
          - condition: $statusCode == 200
          - condition: $response.body#/plan_id == $inputs.plan_id
        onSuccess:
          - name: done
            type: end
        onFailure:
          - name: plan_refused
            type: end
            criteria:
              - condition: >-
                  ($statusCode == 404 && $response.body#/error == ''Plan not found'')
                  || ($statusCode == 403 && $response.body#/error == ''Plan does not belong to this service'')
                  || $statusCode == 400 || $statusCode == 422
            x-writ: {outcome: discard, reason: AuthOS refused the plan; the user has no subscription.}
        outputs:
          plan_id: $response.body#/plan_id
          status: $response.body#/status
          current_period_end: $response.body#/current_period_end
        x-writ:
          inDoubt: {goto: check_first}
          outputs:
            plan_id: {record: clear}
            status: {record: clear}
            current_period_end: {record: clear}

      - stepId: check_removed
        description: It is unknown whether the old subscription was removed.
        operationId: $sourceDescriptions.authos.updateSubscription
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        requestBody:
          contentType: application/json
          payload: {}
        successCriteria:
          - condition: $statusCode == 200
        onSuccess:
          - name: not_removed_yet
            type: goto
            stepId: remove_old
            criteria:
              - condition: $response.body#/plan_id == $steps.read_current.outputs.plan_id
          - name: other_writer
            type: end
            x-writ:
              outcome: review
              reason: |-
                Another writer has made a subscription in between. Decide which plan holds, then replay
                or cancel the job.
        onFailure:
          - name: removed
            type: goto
            stepId: create_new
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error == ''Subscription not found for this user and service''
        outputs:
          plan_id: $response.body#/plan_id
          status: $response.body#/status
          current_period_end: $response.body#/current_period_end
        x-writ:
          effect: none
          reason: With an empty object AuthOS writes nothing and answers with the stored row.
          outputs:
            plan_id: {record: clear}
            status: {record: clear}
            current_period_end: {record: clear}

      - stepId: check_created
        description: |
          It is unknown whether the new subscription was made: a lost answer, or a 500 that means either
          "there is one already" or a fault.
        operationId: $sourceDescriptions.authos.updateSubscription
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        requestBody:
          contentType: application/json
          payload: {}
        successCriteria:
          - condition: $statusCode == 200
        onSuccess:
          - name: created_after_all
            type: end
            criteria:
              - condition: $response.body#/plan_id == $inputs.plan_id
              - condition: $response.body#/status == $steps.settle_terms.outputs.status
          - name: other_writer
            type: end
            x-writ:
              outcome: review
              reason: |-
                Another writer has made a subscription in between. Decide which plan holds, then replay
                or cancel the job.
        onFailure:
          - name: not_created_yet
            type: goto
            stepId: create_new
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error == ''Subscription not found for this user and service''
        outputs:
          plan_id: $response.body#/plan_id
          status: $response.body#/status
          current_period_end: $response.body#/current_period_end
        x-writ:
          effect: none
          reason: With an empty object AuthOS writes nothing and answers with the stored row.
          outputs:
            plan_id: {record: clear}
            status: {record: clear}
            current_period_end: {record: clear}

      - stepId: check_first
        description: It is unknown whether the first subscription was made.
        operationId: $sourceDescriptions.authos.updateSubscription
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        requestBody:
          contentType: application/json
          payload: {}
        successCriteria:
          - condition: $statusCode == 200
        onSuccess:
          - name: created_after_all
            type: end
            criteria:
              - condition: $response.body#/plan_id == $inputs.plan_id
              - condition: $inputs.status == null || $response.body#/status == $inputs.status
          - name: other_writer
            type: end
            x-writ:
              outcome: review
              reason: |-
                Another writer has made a subscription in between. Decide which plan holds, then replay
                or cancel the job.
        onFailure:
          - name: not_created_yet
            type: goto
            stepId: create_first
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error == ''Subscription not found for this user and service''
        outputs:
          plan_id: $response.body#/plan_id
          status: $response.body#/status
          current_period_end: $response.body#/current_period_end
        x-writ:
          effect: none
          reason: With an empty object AuthOS writes nothing and answers with the stored row.
          outputs:
            plan_id: {record: clear}
            status: {record: clear}
            current_period_end: {record: clear}

      - stepId: restore_old
        description: AuthOS refused the new plan after the old subscription was removed; it comes back as it was.
        operationId: $sourceDescriptions.authos.createSubscription
        requestBody:
          contentType: application/json
          payload:
            user_id: $inputs.user_id
            plan_id: $steps.read_current.outputs.plan_id
            status: $steps.read_current.outputs.status
            current_period_end: $steps.read_current.outputs.current_period_end
        successCriteria:
          - condition: $statusCode == 200
        onSuccess:
          - name: restored
            type: end
            x-writ:
              outcome: discard
              reason: AuthOS refused the new plan; the user has the old one again.
        outputs:
          plan_id: $response.body#/plan_id
          status: $response.body#/status
          current_period_end: $response.body#/current_period_end
        x-writ:
          inDoubt: {goto: check_restored}
          outputs:
            plan_id: {record: clear}
            status: {record: clear}
            current_period_end: {record: clear}

      - stepId: check_restored
        description: It is unknown whether the old subscription is back.
        operationId: $sourceDescriptions.authos.updateSubscription
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        requestBody:
          contentType: application/json
          payload: {}
        successCriteria:
          - condition: $statusCode == 200
        onSuccess:
          - name: restored_after_all
            type: end
            criteria:
              - condition: $response.body#/plan_id == $steps.read_current.outputs.plan_id
            x-writ:
              outcome: discard
              reason: AuthOS refused the new plan; the user has the old one again.
          - name: other_writer
            type: end
            x-writ:
              outcome: review
              reason: |-
                Another writer has made a subscription in between. Decide which plan holds, then replay
                or cancel the job.
        onFailure:
          - name: not_restored_yet
            type: goto
            stepId: restore_old
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error == ''Subscription not found for this user and service''
        outputs:
          plan_id: $response.body#/plan_id
          status: $response.body#/status
          current_period_end: $response.body#/current_period_end
        x-writ:
          effect: none
          reason: With an empty object AuthOS writes nothing and answers with the stored row.
          outputs:
            plan_id: {record: clear}
            status: {record: clear}
            current_period_end: {record: clear}
    outputs:
      before_plan_id: $steps.read_current.outputs.plan_id
', '[{"path": "change_plan.arazzo.yaml", "text": "arazzo: 1.0.1\ninfo:\n  title: Change the plan of a user\n  version: 1.0.0\n  summary: Moves a user''s subscription to another plan, or gives him a first one.\nsourceDescriptions:\n  - name: authos\n    url: openapi/authos.yaml\n    type: openapi\n  - name: writ\n    url: openapi/writ.yaml\n    type: openapi\nworkflows:\n  - workflowId: change_plan\n    summary: Move a user''s subscription to another plan\n    description: |\n      AuthOS cannot change a plan: the subscription has to be removed and made again, and in between there is\n      none. So everything that the new one needs is read and on record before the old one goes.\n\n      Status and period end of the old subscription are kept unless the order says otherwise. A user without a\n      subscription gets one. If AuthOS refuses the new plan, the old subscription comes back and the job is\n      discarded. If another writer (a billing webhook, an administrator) got in between, a person decides.\n\n      A user who is not linked to the service is refused. Old orders are not replayed without a look: they\n      would overwrite newer plans.\n    x-writ:\n      jobType: change_plan\n      subject: $inputs.user_id\n      retry: {maxAttempts: 20, base: PT1S, cap: PT5M}\n      requestTimeout: PT35S\n      replay: review\n    inputs:\n      type: object\n      required: [user_id, plan_id]\n      properties:\n        user_id:\n          type: string\n          format: uuid\n          x-writ: {record: clear}\n        plan_id:\n          type: string\n          format: uuid\n          description: The plan that the user shall have.\n          x-writ: {record: clear}\n        status:\n          type: string\n          minLength: 1\n          maxLength: 50\n          description: AuthOS takes any text; `active` alone counts as active. Left out, the old one is kept.\n          x-writ: {record: clear}\n        current_period_end:\n          type: string\n          format: date-time\n          description: |\n            When the paid period ends, best in whole seconds. Left out, the old one is kept; for a first\n            subscription AuthOS then takes 30 days from the moment of the call.\n          x-writ: {record: clear}\n    steps:\n      - stepId: read_current\n        description: |\n          An update with nothing in it is the only read of a subscription that tells the true period end on\n          every database.\n        operationId: $sourceDescriptions.authos.updateSubscription\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        requestBody:\n          contentType: application/json\n          payload: {}\n        successCriteria:\n          - condition: $statusCode == 200\n        onSuccess:\n          - name: already_as_ordered\n            type: end\n            criteria:\n              - condition: $response.body#/plan_id == $inputs.plan_id\n              - condition: $inputs.status == null && $inputs.current_period_end == null\n          - name: only_the_terms_change\n            type: goto\n            stepId: set_terms\n            criteria:\n              - condition: $response.body#/plan_id == $inputs.plan_id\n        onFailure:\n          - name: user_not_linked\n            type: end\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error == ''User not found or has not authenticated with this service''\n            x-writ: {outcome: discard, reason: The user is not known to the service.}\n          - name: no_subscription\n            type: goto\n            stepId: create_first\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error == ''Subscription not found for this user and service''\n        outputs:\n          plan_id: $response.body#/plan_id\n          status: $response.body#/status\n          current_period_end: $response.body#/current_period_end\n        x-writ:\n          effect: none\n          reason: With an empty object AuthOS writes nothing and answers with the stored row.\n          outputs:\n            plan_id: {record: clear}\n            status: {record: clear}\n            current_period_end: {record: clear}\n\n      - stepId: settle_terms\n        description: What the order says about status and period end, else what the old subscription has.\n        operationId: $sourceDescriptions.writ.firstOfEach\n        requestBody:\n          contentType: application/json\n          payload:\n            status: [$inputs.status, $steps.read_current.outputs.status]\n            current_period_end: [$inputs.current_period_end, $steps.read_current.outputs.current_period_end]\n        outputs:\n          status: $response.body#/status\n          current_period_end: $response.body#/current_period_end\n\n      - stepId: remove_old\n        description: |\n          From here to the end of the next step the user has no subscription. What was read and settled is\n          durable before this request leaves.\n        operationId: $sourceDescriptions.authos.deleteSubscription\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        onFailure:\n          - name: already_gone\n            type: goto\n            stepId: create_new\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error == ''Subscription not found for this user and service''\n        x-writ:\n          inDoubt: {goto: check_removed}\n\n      - stepId: create_new\n        operationId: $sourceDescriptions.authos.createSubscription\n        requestBody:\n          contentType: application/json\n          payload:\n            user_id: $inputs.user_id\n            plan_id: $inputs.plan_id\n            status: $steps.settle_terms.outputs.status\n            current_period_end: $steps.settle_terms.outputs.current_period_end\n        successCriteria:\n          - condition: $statusCode == 200\n          - condition: $response.body#/plan_id == $inputs.plan_id\n        onSuccess:\n          - name: done\n            type: end\n        onFailure:\n          - name: plan_refused\n            type: goto\n            stepId: restore_old\n            criteria:\n              - condition: >-\n                  ($statusCode == 404 && $response.body#/error == ''Plan not found'')\n                  || ($statusCode == 403 && $response.body#/error == ''Plan does not belong to this service'')\n                  || $statusCode == 400 || $statusCode == 422\n        outputs:\n          plan_id: $response.body#/plan_id\n          status: $response.body#/status\n          current_period_end: $response.body#/current_period_end\n        x-writ:\n          # 500 is also the answer to a second subscription: like every doubt, it is settled by looking.\n          inDoubt: {goto: check_created}\n          outputs:\n            plan_id: {record: clear}\n            status: {record: clear}\n            current_period_end: {record: clear}\n\n      - stepId: set_terms\n        description: The plan is right already; status and period end are put as ordered.\n        operationId: $sourceDescriptions.authos.updateSubscription\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        requestBody:\n          contentType: application/json\n          payload:\n            status: $inputs.status\n            current_period_end: $inputs.current_period_end\n        successCriteria:\n          - condition: $statusCode == 200\n        onSuccess:\n          - name: done\n            type: end\n        outputs:\n          plan_id: $response.body#/plan_id\n          status: $response.body#/status\n          current_period_end: $response.body#/current_period_end\n        x-writ:\n          inDoubt: resend\n          outputs:\n            plan_id: {record: clear}\n            status: {record: clear}\n            current_period_end: {record: clear}\n\n      - stepId: create_first\n        description: The user has no subscription yet, so there is nothing to keep and nothing to bring back.\n        operationId: $sourceDescriptions.authos.createSubscription\n        requestBody:\n          contentType: application/json\n          payload:\n            user_id: $inputs.user_id\n            plan_id: $inputs.plan_id\n            status: $inputs.status\n            current_period_end: $inputs.current_period_end\n        successCriteria:\n          - condition: $statusCode == 200\n          - condition: $response.body#/plan_id == $inputs.plan_id\n        onSuccess:\n          - name: done\n            type: end\n        onFailure:\n          - name: plan_refused\n            type: end\n            criteria:\n              - condition: >-\n                  ($statusCode == 404 && $response.body#/error == ''Plan not found'')\n                  || ($statusCode == 403 && $response.body#/error == ''Plan does not belong to this service'')\n                  || $statusCode == 400 || $statusCode == 422\n            x-writ: {outcome: discard, reason: AuthOS refused the plan; the user has no subscription.}\n        outputs:\n          plan_id: $response.body#/plan_id\n          status: $response.body#/status\n          current_period_end: $response.body#/current_period_end\n        x-writ:\n          inDoubt: {goto: check_first}\n          outputs:\n            plan_id: {record: clear}\n            status: {record: clear}\n            current_period_end: {record: clear}\n\n      - stepId: check_removed\n        description: It is unknown whether the old subscription was removed.\n        operationId: $sourceDescriptions.authos.updateSubscription\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        requestBody:\n          contentType: application/json\n          payload: {}\n        successCriteria:\n          - condition: $statusCode == 200\n        onSuccess:\n          - name: not_removed_yet\n            type: goto\n            stepId: remove_old\n            criteria:\n              - condition: $response.body#/plan_id == $steps.read_current.outputs.plan_id\n          - name: other_writer\n            type: end\n            x-writ:\n              outcome: review\n              reason: |-\n                Another writer has made a subscription in between. Decide which plan holds, then replay\n                or cancel the job.\n        onFailure:\n          - name: removed\n            type: goto\n            stepId: create_new\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error == ''Subscription not found for this user and service''\n        outputs:\n          plan_id: $response.body#/plan_id\n          status: $response.body#/status\n          current_period_end: $response.body#/current_period_end\n        x-writ:\n          effect: none\n          reason: With an empty object AuthOS writes nothing and answers with the stored row.\n          outputs:\n            plan_id: {record: clear}\n            status: {record: clear}\n            current_period_end: {record: clear}\n\n      - stepId: check_created\n        description: |\n          It is unknown whether the new subscription was made: a lost answer, or a 500 that means either\n          \"there is one already\" or a fault.\n        operationId: $sourceDescriptions.authos.updateSubscription\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        requestBody:\n          contentType: application/json\n          payload: {}\n        successCriteria:\n          - condition: $statusCode == 200\n        onSuccess:\n          - name: created_after_all\n            type: end\n            criteria:\n              - condition: $response.body#/plan_id == $inputs.plan_id\n              - condition: $response.body#/status == $steps.settle_terms.outputs.status\n          - name: other_writer\n            type: end\n            x-writ:\n              outcome: review\n              reason: |-\n                Another writer has made a subscription in between. Decide which plan holds, then replay\n                or cancel the job.\n        onFailure:\n          - name: not_created_yet\n            type: goto\n            stepId: create_new\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error == ''Subscription not found for this user and service''\n        outputs:\n          plan_id: $response.body#/plan_id\n          status: $response.body#/status\n          current_period_end: $response.body#/current_period_end\n        x-writ:\n          effect: none\n          reason: With an empty object AuthOS writes nothing and answers with the stored row.\n          outputs:\n            plan_id: {record: clear}\n            status: {record: clear}\n            current_period_end: {record: clear}\n\n      - stepId: check_first\n        description: It is unknown whether the first subscription was made.\n        operationId: $sourceDescriptions.authos.updateSubscription\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        requestBody:\n          contentType: application/json\n          payload: {}\n        successCriteria:\n          - condition: $statusCode == 200\n        onSuccess:\n          - name: created_after_all\n            type: end\n            criteria:\n              - condition: $response.body#/plan_id == $inputs.plan_id\n              - condition: $inputs.status == null || $response.body#/status == $inputs.status\n          - name: other_writer\n            type: end\n            x-writ:\n              outcome: review\n              reason: |-\n                Another writer has made a subscription in between. Decide which plan holds, then replay\n                or cancel the job.\n        onFailure:\n          - name: not_created_yet\n            type: goto\n            stepId: create_first\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error == ''Subscription not found for this user and service''\n        outputs:\n          plan_id: $response.body#/plan_id\n          status: $response.body#/status\n          current_period_end: $response.body#/current_period_end\n        x-writ:\n          effect: none\n          reason: With an empty object AuthOS writes nothing and answers with the stored row.\n          outputs:\n            plan_id: {record: clear}\n            status: {record: clear}\n            current_period_end: {record: clear}\n\n      - stepId: restore_old\n        description: AuthOS refused the new plan after the old subscription was removed; it comes back as it was.\n        operationId: $sourceDescriptions.authos.createSubscription\n        requestBody:\n          contentType: application/json\n          payload:\n            user_id: $inputs.user_id\n            plan_id: $steps.read_current.outputs.plan_id\n            status: $steps.read_current.outputs.status\n            current_period_end: $steps.read_current.outputs.current_period_end\n        successCriteria:\n          - condition: $statusCode == 200\n        onSuccess:\n          - name: restored\n            type: end\n            x-writ:\n              outcome: discard\n              reason: AuthOS refused the new plan; the user has the old one again.\n        outputs:\n          plan_id: $response.body#/plan_id\n          status: $response.body#/status\n          current_period_end: $response.body#/current_period_end\n        x-writ:\n          inDoubt: {goto: check_restored}\n          outputs:\n            plan_id: {record: clear}\n            status: {record: clear}\n            current_period_end: {record: clear}\n\n      - stepId: check_restored\n        description: It is unknown whether the old subscription is back.\n        operationId: $sourceDescriptions.authos.updateSubscription\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        requestBody:\n          contentType: application/json\n          payload: {}\n        successCriteria:\n          - condition: $statusCode == 200\n        onSuccess:\n          - name: restored_after_all\n            type: end\n            criteria:\n              - condition: $response.body#/plan_id == $steps.read_current.outputs.plan_id\n            x-writ:\n              outcome: discard\n              reason: AuthOS refused the new plan; the user has the old one again.\n          - name: other_writer\n            type: end\n            x-writ:\n              outcome: review\n              reason: |-\n                Another writer has made a subscription in between. Decide which plan holds, then replay\n                or cancel the job.\n        onFailure:\n          - name: not_restored_yet\n            type: goto\n            stepId: restore_old\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error == ''Subscription not found for this user and service''\n        outputs:\n          plan_id: $response.body#/plan_id\n          status: $response.body#/status\n          current_period_end: $response.body#/current_period_end\n        x-writ:\n          effect: none\n          reason: With an empty object AuthOS writes nothing and answers with the stored row.\n          outputs:\n            plan_id: {record: clear}\n            status: {record: clear}\n            current_period_end: {record: clear}\n    outputs:\n      before_plan_id: $steps.read_current.outputs.plan_id\n"}, {"path": "openapi/authos.yaml", "text": "# The part of AuthOS''s HTTP API that the job types of this catalogue call.\n#\n# Beyond the standard:\n#   x-required-permission  what the API key of a job needs for the operation; from these Writ computes the\n#                          least privilege of a job type\n#   x-effect               none | create | update | delete: what the operation does to the outside world;\n#                          anything but none has a recorded intent before it is sent\n#   x-writ on a schema     {record: clear|digest|never}: how the audit trail may keep the value;\n#                          {secret: true}: the value may flow into a sink for secrets and nowhere else\n#   x-writ on a scheme     how a session is opened\nopenapi: 3.1.0\ninfo:\n  title: AuthOS, as Writ uses it\n  version: 0.1.40\n  summary: Users, subscriptions and API keys of one service.\n  description: |\n    AuthOS knows no idempotency keys and never answers 409. What a caller must know instead:\n\n    - A 404 whose body is JSON with `error_code` means that AuthOS looked and the thing is not there. A 404\n      with any other body means that the address is wrong. Only the first is ever read as \"gone\".\n    - 500 with `DATABASE_ERROR` is the answer to a violated unique index as well as to a real fault.\n    - 408 comes from a server that gave up after 30 seconds and may still carry the request out.\n    - A user is \"linked\" when the key''s service knows him. Most routes answer 404\n      `User not found or has not authenticated with this service` for anybody else.\nservers:\n  - url: http://127.0.0.1:8080\n    description: Replaced by the base URL of the job''s environment.\nsecurity:\n  - ApiKeyAuth: []\npaths:\n  /api/service/users:\n    post:\n      operationId: createUser\n      summary: Make a user of this e-mail address known to the service\n      description: |\n        Creates the user, or links one who exists, or finds that both are done. All three answer with the\n        same id, so the call may be repeated. Two calls at once for a new address: one answers 500\n        `DATABASE_ERROR`, and 200 or 201 when it is repeated.\n      x-required-permission: write:users\n      x-effect: create\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [email]\n              properties:\n                email:\n                  type: string\n                  format: email\n                  description: Compared exactly as written, so the caller chooses one form.\n                  x-writ: {record: digest}\n      responses:\n        ''200'': {$ref: ''#/components/responses/User''}\n        ''201'': {$ref: ''#/components/responses/User''}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/users/{user_id}:\n    parameters:\n      - $ref: ''#/components/parameters/UserId''\n    get:\n      operationId: getUser\n      summary: Read a linked user\n      x-required-permission: read:users\n      x-effect: none\n      responses:\n        ''200'': {$ref: ''#/components/responses/User''}\n        default: {$ref: ''#/components/responses/Refusal''}\n    delete:\n      operationId: deleteUser\n      summary: Unlink a user from the service\n      description: |\n        Removes every sign-in identity that the user has for the service, then his subscription, whose\n        removal may fail without being told. The second call answers 404 whatever became of the subscription:\n        remove that first, and look afterwards.\n      x-required-permission: delete:users\n      x-effect: delete\n      responses:\n        ''204'': {description: Unlinked.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/subscriptions:\n    post:\n      operationId: createSubscription\n      summary: Give a linked user a subscription\n      description: |\n        One subscription for each user, whatever its plan and status. A second one is answered with 500\n        `DATABASE_ERROR` and changes nothing. Without `current_period_end` the server takes 30 days from now.\n      x-required-permission: write:subscriptions\n      x-effect: create\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [user_id, plan_id]\n              properties:\n                user_id: {type: string, format: uuid, x-writ: {record: clear}}\n                plan_id: {type: string, format: uuid, x-writ: {record: clear}}\n                status: {type: [string, ''null''], x-writ: {record: clear}}\n                current_period_end:\n                  type: [string, ''null'']\n                  format: date-time\n                  x-writ: {record: clear}\n      responses:\n        ''200'': {$ref: ''#/components/responses/Subscription''}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/subscriptions/{user_id}:\n    parameters:\n      - $ref: ''#/components/parameters/UserId''\n    get:\n      operationId: getSubscription\n      summary: See whether a user has a subscription\n      description: |\n        Also for users who are not linked. `current_period_end` is not to be trusted here: on SQLite it\n        is the time of the call, and on database servers the call answers 500 whenever there is a\n        subscription. What can be trusted is 404: there is none. `updateSubscription` with an empty body\n        reads the stored row.\n      x-required-permission: read:subscriptions\n      x-effect: none\n      responses:\n        ''200'': {$ref: ''#/components/responses/Subscription''}\n        default: {$ref: ''#/components/responses/Refusal''}\n    patch:\n      operationId: updateSubscription\n      summary: Change status or end of a subscription; with nothing to change, read it\n      description: |\n        Absolute values, so the call may be repeated. The plan cannot be changed. With an empty object\n        nothing is written and the stored row is answered, on every database.\n      x-required-permission: write:subscriptions\n      x-effect: update\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              properties:\n                status: {type: [string, ''null''], x-writ: {record: clear}}\n                current_period_end:\n                  type: [string, ''null'']\n                  format: date-time\n                  x-writ: {record: clear}\n      responses:\n        ''200'': {$ref: ''#/components/responses/Subscription''}\n        default: {$ref: ''#/components/responses/Refusal''}\n    delete:\n      operationId: deleteSubscription\n      summary: Take a user''s subscription away\n      description: |\n        The second call answers 404 `Subscription not found for this user and service`; for a user who is\n        not linked the text is another one.\n      x-required-permission: delete:subscriptions\n      x-effect: delete\n      responses:\n        ''204'': {description: Taken away.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/info:\n    get:\n      operationId: getServiceInfo\n      summary: Read the service of the key\n      description: |\n        Answers 401 to a key that is unknown, deleted or expired, and 403 to a live key without\n        `read:service`: so it tells a live key from a dead one whatever the key may do.\n      x-required-permission: read:service\n      x-effect: none\n      responses:\n        ''200'':\n          description: The service.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [id, slug]\n                properties:\n                  id: {type: string, format: uuid, x-writ: {record: clear}}\n                  slug: {type: string, x-writ: {record: clear}}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/organizations/{org_slug}/services/{service_slug}/api-keys:\n    parameters:\n      - $ref: ''#/components/parameters/OrganizationSlug''\n      - $ref: ''#/components/parameters/ServiceSlug''\n    get:\n      operationId: listApiKeys\n      summary: List the keys of a service, newest first, without their secrets\n      security: [{ManagementSession: []}]\n      x-effect: none\n      parameters:\n        - name: limit\n          in: query\n          description: At most 100; greater numbers count as 100.\n          schema: {type: integer, minimum: 1, maximum: 100, default: 50}\n        - name: offset\n          in: query\n          schema: {type: integer, minimum: 0, default: 0}\n      responses:\n        ''200'':\n          description: A page of keys and the number of all.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [api_keys, total]\n                properties:\n                  api_keys:\n                    type: array\n                    items: {$ref: ''#/components/schemas/ApiKey''}\n                  total: {type: integer}\n        default: {$ref: ''#/components/responses/Refusal''}\n    post:\n      operationId: createApiKey\n      summary: Make a key; the only answer that ever holds its secret\n      description: |\n        Every call makes another key. One whose answer is lost stays behind, live and unusable: name keys so\n        that they can be found again.\n      security: [{ManagementSession: []}]\n      x-effect: create\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [name, permissions]\n              properties:\n                name: {type: string, minLength: 1, maxLength: 100}\n                permissions: {type: array, minItems: 1, items: {type: string}}\n      responses:\n        ''201'':\n          description: The key with its secret.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [id, prefix, key]\n                properties:\n                  id: {type: string, format: uuid, x-writ: {record: clear}}\n                  name: {type: string, x-writ: {record: clear}}\n                  prefix: {type: string, x-writ: {record: clear}}\n                  permissions: {type: array, items: {type: string}, x-writ: {record: clear}}\n                  key: {type: string, x-writ: {secret: true}}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/organizations/{org_slug}/services/{service_slug}/api-keys/{api_key_id}:\n    parameters:\n      - $ref: ''#/components/parameters/OrganizationSlug''\n      - $ref: ''#/components/parameters/ServiceSlug''\n      - name: api_key_id\n        in: path\n        required: true\n        schema: {type: string, format: uuid}\n    delete:\n      operationId: deleteApiKey\n      summary: Kill a key at once\n      description: The second call answers 404 `API key not found`.\n      security: [{ManagementSession: []}]\n      x-effect: delete\n      responses:\n        ''204'': {description: Dead.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/auth/login:\n    post:\n      operationId: login\n      summary: Open a session for the management routes\n      description: |\n        Writ''s worker calls this by itself. An account that asks for a second factor answers with an\n        empty `refresh_token`; such a session cannot be used.\n      security: []\n      x-effect: none\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [email, password]\n              properties:\n                email: {type: string}\n                password: {type: string, x-writ: {secret: true}}\n      responses:\n        ''200'':\n          description: A session.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [access_token, refresh_token, expires_in]\n                properties:\n                  access_token: {type: string, x-writ: {secret: true}}\n                  refresh_token: {type: string, x-writ: {secret: true}}\n                  expires_in: {type: integer, description: Seconds.}\n        default: {$ref: ''#/components/responses/Refusal''}\ncomponents:\n  securitySchemes:\n    ApiKeyAuth:\n      type: apiKey\n      in: header\n      name: X-Api-Key\n      description: A key of one service; every call acts on that service alone.\n    ManagementSession:\n      type: http\n      scheme: bearer\n      description: The access token of a person or an account that may manage the service.\n      x-writ: {session: {operation: login}}\n  parameters:\n    UserId:\n      name: user_id\n      in: path\n      required: true\n      schema: {type: string, format: uuid}\n    OrganizationSlug:\n      name: org_slug\n      in: path\n      required: true\n      schema: {type: string}\n    ServiceSlug:\n      name: service_slug\n      in: path\n      required: true\n      schema: {type: string}\n  responses:\n    User:\n      description: The user.\n      content:\n        application/json:\n          schema:\n            type: object\n            required: [id, email, created_at]\n            properties:\n              id: {type: string, format: uuid, x-writ: {record: clear}}\n              email: {type: string, x-writ: {record: digest}}\n              created_at: {type: string, format: date-time}\n    Subscription:\n      description: The subscription.\n      content:\n        application/json:\n          schema:\n            type: object\n            required: [id, user_id, plan_id, plan_name, status, current_period_end]\n            properties:\n              id:\n                type: string\n                format: uuid\n                description: Another one after every change of plan.\n                x-writ: {record: clear}\n              user_id: {type: string, format: uuid, x-writ: {record: clear}}\n              plan_id: {type: string, format: uuid, x-writ: {record: clear}}\n              plan_name: {type: string, x-writ: {record: clear}}\n              status: {type: string, x-writ: {record: clear}}\n              current_period_end: {type: string, format: date-time, x-writ: {record: clear}}\n    Refusal:\n      description: |\n        Everything that is no success. What AuthOS itself refuses has this body; what is refused before it\n        gets that far (413, 415, 422, a body that is no JSON) is plain text, and 405 and 408 are empty.\n      content:\n        application/json:\n          schema: {$ref: ''#/components/schemas/Error''}\n  schemas:\n    Error:\n      type: object\n      required: [error, error_code, timestamp]\n      properties:\n        error: {type: string, description: May repeat what was sent; never recorded.}\n        error_code: {type: string, x-writ: {record: clear}}\n        timestamp: {type: string, format: date-time}\n    ApiKey:\n      type: object\n      required: [id, name, prefix]\n      properties:\n        id: {type: string, format: uuid, x-writ: {record: clear}}\n        name: {type: string, x-writ: {record: clear}}\n        prefix:\n          type: string\n          description: The first 15 characters of the key, which are public and unique.\n          x-writ: {record: clear}\n        permissions: {type: array, items: {type: string}}\n        last_used_at: {type: [string, ''null''], format: date-time}\n        expires_at: {type: [string, ''null''], format: date-time}\n        created_at: {type: string, format: date-time}\n"}, {"path": "openapi/writ.yaml", "text": "# Operations that the worker itself carries out, described like an API so that a workflow can use them and a\n# reader can see them. Nothing here leaves the worker''s machine. All may be repeated without harm.\nopenapi: 3.1.0\ninfo:\n  title: Local operations of Writ\n  version: 1.0.0\n  summary: The worker''s secret store, and two ways to look into values that a workflow already has.\nx-writ-local: true\nservers:\n  - url: local:/\npaths:\n  /keys/describe:\n    post:\n      operationId: describeKey\n      summary: What the store holds for a job type, and what its key has to be allowed\n      description: |\n        404 with `NOT_FOUND`: the job type is unknown, or nothing that it calls needs a key.\n      x-effect: none\n      requestBody: {$ref: ''#/components/requestBodies/KeyOwner''}\n      responses:\n        ''200'':\n          description: The key in use, without its secret.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [name, prefix, permissions]\n                properties:\n                  name: {type: string, description: The name in the secret store., x-writ: {record: clear}}\n                  prefix:\n                    type: [string, ''null'']\n                    description: The public part of the key in use; null where there is none.\n                    x-writ: {record: clear}\n                  permissions:\n                    type: array\n                    description: The least privilege of the job type, sorted.\n                    items: {type: string}\n                    x-writ: {record: clear}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /keys/promote:\n    post:\n      operationId: promoteKey\n      summary: Make the pending key the one in use, and keep the one before as the previous one\n      description: Without a pending key nothing happens, so a repetition after a crash is harmless.\n      x-effect: update\n      requestBody: {$ref: ''#/components/requestBodies/KeyOwner''}\n      responses:\n        ''204'': {description: Promoted; every request from now on uses the new key.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /keys/discard-previous:\n    post:\n      operationId: discardPreviousKey\n      summary: Forget the previous key\n      x-effect: delete\n      requestBody: {$ref: ''#/components/requestBodies/KeyOwner''}\n      responses:\n        ''204'': {description: ''Forgotten, or not there.''}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /values/find-in-list:\n    post:\n      operationId: findInList\n      summary: The first element of a list whose members equal those that are asked for\n      x-effect: none\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [list, where]\n              properties:\n                list: {type: array, items: {type: object}}\n                where: {type: object, minProperties: 1}\n      responses:\n        ''200'':\n          description: Found.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [item]\n                properties:\n                  item: {type: object}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /values/first-of-each:\n    post:\n      operationId: firstOfEach\n      summary: For each member, a list of candidates, the first candidate that is not null\n      x-effect: none\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              additionalProperties: {type: array}\n      responses:\n        ''200'':\n          description: The choices under the names that were sent; null where every candidate is null.\n          content:\n            application/json:\n              schema: {type: object}\n        default: {$ref: ''#/components/responses/Refusal''}\ncomponents:\n  requestBodies:\n    KeyOwner:\n      required: true\n      content:\n        application/json:\n          schema:\n            type: object\n            required: [environment, job_type]\n            properties:\n              environment: {type: string, x-writ: {record: clear}}\n              job_type: {type: string, x-writ: {record: clear}}\n  responses:\n    Refusal:\n      description: |\n        404 `NOT_FOUND`: there is nothing of the kind. 400 `BAD_REQUEST`: the input has another shape.\n        503 `SECRET_STORE`: the store cannot be used now.\n      content:\n        application/json:\n          schema:\n            type: object\n            required: [error_code]\n            properties:\n              error_code: {type: string, x-writ: {record: clear}}\n"}]', '2026-11-24 18:13:58.97173+00', 'promise_admin'),
	('b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'create_user', 'create_user.arazzo.yaml', 'arazzo: 1.0.1
info:
  title: Create a user
  version: 1.0.0
  summary: Makes a person known to the service, by e-mail address.
sourceDescriptions:
  - name: authos
    url: openapi/authos.yaml
    type: openapi
workflows:
  - workflowId: create_user
    summary: Make a person known to the service, by e-mail address
    description: |
      Repeating the order for the same address changes nothing and gives the same user id. A user who exists
      but is not linked to the service is linked.

      It is not replayed without a look: a person who was created and revoked since would be linked again.
    x-writ:
      jobType: create_user
      subject: $inputs.email
      retry: {maxAttempts: 20, base: PT1S, cap: PT5M}
      requestTimeout: PT35S
      replay: review
    inputs:
      type: object
      required: [email]
      properties:
        email:
          type: string
          format: email
          maxLength: 254
          description: AuthOS compares addresses letter by letter, so all are brought into lower case.
          x-writ: {record: digest, normalize: lowercase}
    steps:
      - stepId: create
        description: |
          The request is its own proof: after any doubt it is sent again, and answers with the same id. 200
          means that nothing had to be done, 201 that the user was made or linked.
        operationId: createUser
        requestBody:
          contentType: application/json
          payload:
            email: $inputs.email
        successCriteria:
          - condition: $statusCode == 200 || $statusCode == 201
        onFailure:
          - name: lost_a_race
            type: retry
            retryAfter: 0.2
            retryLimit: 1
            criteria:
              - condition: $statusCode == 500 && $response.body#/error_code == ''DATABASE_ERROR''
        outputs:
          user_id: $response.body#/id
          status: $statusCode
        x-writ:
          inDoubt: resend
          outputs:
            user_id: {record: clear}
            status: {record: clear}
    outputs:
      user_id: $steps.create.outputs.user_id
', '[{"path": "create_user.arazzo.yaml", "text": "arazzo: 1.0.1\ninfo:\n  title: Create a user\n  version: 1.0.0\n  summary: Makes a person known to the service, by e-mail address.\nsourceDescriptions:\n  - name: authos\n    url: openapi/authos.yaml\n    type: openapi\nworkflows:\n  - workflowId: create_user\n    summary: Make a person known to the service, by e-mail address\n    description: |\n      Repeating the order for the same address changes nothing and gives the same user id. A user who exists\n      but is not linked to the service is linked.\n\n      It is not replayed without a look: a person who was created and revoked since would be linked again.\n    x-writ:\n      jobType: create_user\n      subject: $inputs.email\n      retry: {maxAttempts: 20, base: PT1S, cap: PT5M}\n      requestTimeout: PT35S\n      replay: review\n    inputs:\n      type: object\n      required: [email]\n      properties:\n        email:\n          type: string\n          format: email\n          maxLength: 254\n          description: AuthOS compares addresses letter by letter, so all are brought into lower case.\n          x-writ: {record: digest, normalize: lowercase}\n    steps:\n      - stepId: create\n        description: |\n          The request is its own proof: after any doubt it is sent again, and answers with the same id. 200\n          means that nothing had to be done, 201 that the user was made or linked.\n        operationId: createUser\n        requestBody:\n          contentType: application/json\n          payload:\n            email: $inputs.email\n        successCriteria:\n          - condition: $statusCode == 200 || $statusCode == 201\n        onFailure:\n          - name: lost_a_race\n            type: retry\n            retryAfter: 0.2\n            retryLimit: 1\n            criteria:\n              - condition: $statusCode == 500 && $response.body#/error_code == ''DATABASE_ERROR''\n        outputs:\n          user_id: $response.body#/id\n          status: $statusCode\n        x-writ:\n          inDoubt: resend\n          outputs:\n            user_id: {record: clear}\n            status: {record: clear}\n    outputs:\n      user_id: $steps.create.outputs.user_id\n"}, {"path": "openapi/authos.yaml", "text": "# The part of AuthOS''s HTTP API that the job types of this catalogue call.\n#\n# Beyond the standard:\n#   x-required-permission  what the API key of a job needs for the operation; from these Writ computes the\n#                          least privilege of a job type\n#   x-effect               none | create | update | delete: what the operation does to the outside world;\n#                          anything but none has a recorded intent before it is sent\n#   x-writ on a schema     {record: clear|digest|never}: how the audit trail may keep the value;\n#                          {secret: true}: the value may flow into a sink for secrets and nowhere else\n#   x-writ on a scheme     how a session is opened\nopenapi: 3.1.0\ninfo:\n  title: AuthOS, as Writ uses it\n  version: 0.1.40\n  summary: Users, subscriptions and API keys of one service.\n  description: |\n    AuthOS knows no idempotency keys and never answers 409. What a caller must know instead:\n\n    - A 404 whose body is JSON with `error_code` means that AuthOS looked and the thing is not there. A 404\n      with any other body means that the address is wrong. Only the first is ever read as \"gone\".\n    - 500 with `DATABASE_ERROR` is the answer to a violated unique index as well as to a real fault.\n    - 408 comes from a server that gave up after 30 seconds and may still carry the request out.\n    - A user is \"linked\" when the key''s service knows him. Most routes answer 404\n      `User not found or has not authenticated with this service` for anybody else.\nservers:\n  - url: http://127.0.0.1:8080\n    description: Replaced by the base URL of the job''s environment.\nsecurity:\n  - ApiKeyAuth: []\npaths:\n  /api/service/users:\n    post:\n      operationId: createUser\n      summary: Make a user of this e-mail address known to the service\n      description: |\n        Creates the user, or links one who exists, or finds that both are done. All three answer with the\n        same id, so the call may be repeated. Two calls at once for a new address: one answers 500\n        `DATABASE_ERROR`, and 200 or 201 when it is repeated.\n      x-required-permission: write:users\n      x-effect: create\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [email]\n              properties:\n                email:\n                  type: string\n                  format: email\n                  description: Compared exactly as written, so the caller chooses one form.\n                  x-writ: {record: digest}\n      responses:\n        ''200'': {$ref: ''#/components/responses/User''}\n        ''201'': {$ref: ''#/components/responses/User''}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/users/{user_id}:\n    parameters:\n      - $ref: ''#/components/parameters/UserId''\n    get:\n      operationId: getUser\n      summary: Read a linked user\n      x-required-permission: read:users\n      x-effect: none\n      responses:\n        ''200'': {$ref: ''#/components/responses/User''}\n        default: {$ref: ''#/components/responses/Refusal''}\n    delete:\n      operationId: deleteUser\n      summary: Unlink a user from the service\n      description: |\n        Removes every sign-in identity that the user has for the service, then his subscription, whose\n        removal may fail without being told. The second call answers 404 whatever became of the subscription:\n        remove that first, and look afterwards.\n      x-required-permission: delete:users\n      x-effect: delete\n      responses:\n        ''204'': {description: Unlinked.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/subscriptions:\n    post:\n      operationId: createSubscription\n      summary: Give a linked user a subscription\n      description: |\n        One subscription for each user, whatever its plan and status. A second one is answered with 500\n        `DATABASE_ERROR` and changes nothing. Without `current_period_end` the server takes 30 days from now.\n      x-required-permission: write:subscriptions\n      x-effect: create\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [user_id, plan_id]\n              properties:\n                user_id: {type: string, format: uuid, x-writ: {record: clear}}\n                plan_id: {type: string, format: uuid, x-writ: {record: clear}}\n                status: {type: [string, ''null''], x-writ: {record: clear}}\n                current_period_end:\n                  type: [string, ''null'']\n                  format: date-time\n                  x-writ: {record: clear}\n      responses:\n        ''200'': {$ref: ''#/components/responses/Subscription''}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/subscriptions/{user_id}:\n    parameters:\n      - $ref: ''#/components/parameters/UserId''\n    get:\n      operationId: getSubscription\n      summary: See whether a user has a subscription\n      description: |\n        Also for users who are not linked. `current_period_end` is not to be trusted here: on SQLite it\n        is the time of the call, and on database servers the call answers 500 whenever there is a\n        subscription. What can be trusted is 404: there is none. `updateSubscription` with an empty body\n        reads the stored row.\n      x-required-permission: read:subscriptions\n      x-effect: none\n      responses:\n        ''200'': {$ref: ''#/components/responses/Subscription''}\n        default: {$ref: ''#/components/responses/Refusal''}\n    patch:\n      operationId: updateSubscription\n      summary: Change status or end of a subscription; with nothing to change, read it\n      description: |\n        Absolute values, so the call may be repeated. The plan cannot be changed. With an empty object\n        nothing is written and the stored row is answered, on every database.\n      x-required-permission: write:subscriptions\n      x-effect: update\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              properties:\n                status: {type: [string, ''null''], x-writ: {record: clear}}\n                current_period_end:\n                  type: [string, ''null'']\n                  format: date-time\n                  x-writ: {record: clear}\n      responses:\n        ''200'': {$ref: ''#/components/responses/Subscription''}\n        default: {$ref: ''#/components/responses/Refusal''}\n    delete:\n      operationId: deleteSubscription\n      summary: Take a user''s subscription away\n      description: |\n        The second call answers 404 `Subscription not found for this user and service`; for a user who is\n        not linked the text is another one.\n      x-required-permission: delete:subscriptions\n      x-effect: delete\n      responses:\n        ''204'': {description: Taken away.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/info:\n    get:\n      operationId: getServiceInfo\n      summary: Read the service of the key\n      description: |\n        Answers 401 to a key that is unknown, deleted or expired, and 403 to a live key without\n        `read:service`: so it tells a live key from a dead one whatever the key may do.\n      x-required-permission: read:service\n      x-effect: none\n      responses:\n        ''200'':\n          description: The service.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [id, slug]\n                properties:\n                  id: {type: string, format: uuid, x-writ: {record: clear}}\n                  slug: {type: string, x-writ: {record: clear}}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/organizations/{org_slug}/services/{service_slug}/api-keys:\n    parameters:\n      - $ref: ''#/components/parameters/OrganizationSlug''\n      - $ref: ''#/components/parameters/ServiceSlug''\n    get:\n      operationId: listApiKeys\n      summary: List the keys of a service, newest first, without their secrets\n      security: [{ManagementSession: []}]\n      x-effect: none\n      parameters:\n        - name: limit\n          in: query\n          description: At most 100; greater numbers count as 100.\n          schema: {type: integer, minimum: 1, maximum: 100, default: 50}\n        - name: offset\n          in: query\n          schema: {type: integer, minimum: 0, default: 0}\n      responses:\n        ''200'':\n          description: A page of keys and the number of all.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [api_keys, total]\n                properties:\n                  api_keys:\n                    type: array\n                    items: {$ref: ''#/components/schemas/ApiKey''}\n                  total: {type: integer}\n        default: {$ref: ''#/components/responses/Refusal''}\n    post:\n      operationId: createApiKey\n      summary: Make a key; the only answer that ever holds its secret\n      description: |\n        Every call makes another key. One whose answer is lost stays behind, live and unusable: name keys so\n        that they can be found again.\n      security: [{ManagementSession: []}]\n      x-effect: create\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [name, permissions]\n              properties:\n                name: {type: string, minLength: 1, maxLength: 100}\n                permissions: {type: array, minItems: 1, items: {type: string}}\n      responses:\n        ''201'':\n          description: The key with its secret.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [id, prefix, key]\n                properties:\n                  id: {type: string, format: uuid, x-writ: {record: clear}}\n                  name: {type: string, x-writ: {record: clear}}\n                  prefix: {type: string, x-writ: {record: clear}}\n                  permissions: {type: array, items: {type: string}, x-writ: {record: clear}}\n                  key: {type: string, x-writ: {secret: true}}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/organizations/{org_slug}/services/{service_slug}/api-keys/{api_key_id}:\n    parameters:\n      - $ref: ''#/components/parameters/OrganizationSlug''\n      - $ref: ''#/components/parameters/ServiceSlug''\n      - name: api_key_id\n        in: path\n        required: true\n        schema: {type: string, format: uuid}\n    delete:\n      operationId: deleteApiKey\n      summary: Kill a key at once\n      description: The second call answers 404 `API key not found`.\n      security: [{ManagementSession: []}]\n      x-effect: delete\n      responses:\n        ''204'': {description: Dead.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/auth/login:\n    post:\n      operationId: login\n      summary: Open a session for the management routes\n      description: |\n        Writ''s worker calls this by itself. An account that asks for a second factor answers with an\n        empty `refresh_token`; such a session cannot be used.\n      security: []\n      x-effect: none\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [email, password]\n              properties:\n                email: {type: string}\n                password: {type: string, x-writ: {secret: true}}\n      responses:\n        ''200'':\n          description: A session.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [access_token, refresh_token, expires_in]\n                properties:\n                  access_token: {type: string, x-writ: {secret: true}}\n                  refresh_token: {type: string, x-writ: {secret: true}}\n                  expires_in: {type: integer, description: Seconds.}\n        default: {$ref: ''#/components/responses/Refusal''}\ncomponents:\n  securitySchemes:\n    ApiKeyAuth:\n      type: apiKey\n      in: header\n      name: X-Api-Key\n      description: A key of one service; every call acts on that service alone.\n    ManagementSession:\n      type: http\n      scheme: bearer\n      description: The access token of a person or an account that may manage the service.\n      x-writ: {session: {operation: login}}\n  parameters:\n    UserId:\n      name: user_id\n      in: path\n      required: true\n      schema: {type: string, format: uuid}\n    OrganizationSlug:\n      name: org_slug\n      in: path\n      required: true\n      schema: {type: string}\n    ServiceSlug:\n      name: service_slug\n      in: path\n      required: true\n      schema: {type: string}\n  responses:\n    User:\n      description: The user.\n      content:\n        application/json:\n          schema:\n            type: object\n            required: [id, email, created_at]\n            properties:\n              id: {type: string, format: uuid, x-writ: {record: clear}}\n              email: {type: string, x-writ: {record: digest}}\n              created_at: {type: string, format: date-time}\n    Subscription:\n      description: The subscription.\n      content:\n        application/json:\n          schema:\n            type: object\n            required: [id, user_id, plan_id, plan_name, status, current_period_end]\n            properties:\n              id:\n                type: string\n                format: uuid\n                description: Another one after every change of plan.\n                x-writ: {record: clear}\n              user_id: {type: string, format: uuid, x-writ: {record: clear}}\n              plan_id: {type: string, format: uuid, x-writ: {record: clear}}\n              plan_name: {type: string, x-writ: {record: clear}}\n              status: {type: string, x-writ: {record: clear}}\n              current_period_end: {type: string, format: date-time, x-writ: {record: clear}}\n    Refusal:\n      description: |\n        Everything that is no success. What AuthOS itself refuses has this body; what is refused before it\n        gets that far (413, 415, 422, a body that is no JSON) is plain text, and 405 and 408 are empty.\n      content:\n        application/json:\n          schema: {$ref: ''#/components/schemas/Error''}\n  schemas:\n    Error:\n      type: object\n      required: [error, error_code, timestamp]\n      properties:\n        error: {type: string, description: May repeat what was sent; never recorded.}\n        error_code: {type: string, x-writ: {record: clear}}\n        timestamp: {type: string, format: date-time}\n    ApiKey:\n      type: object\n      required: [id, name, prefix]\n      properties:\n        id: {type: string, format: uuid, x-writ: {record: clear}}\n        name: {type: string, x-writ: {record: clear}}\n        prefix:\n          type: string\n          description: The first 15 characters of the key, which are public and unique.\n          x-writ: {record: clear}\n        permissions: {type: array, items: {type: string}}\n        last_used_at: {type: [string, ''null''], format: date-time}\n        expires_at: {type: [string, ''null''], format: date-time}\n        created_at: {type: string, format: date-time}\n"}]', '2026-11-24 18:13:59.005243+00', 'promise_admin'),
	('4e4d297c840b1fe52ce4ba04684f963da298b70609b6daf175e83f04fee481b6', 'revoke_access', 'revoke_access.arazzo.yaml', 'arazzo: 1.0.1
info:
  title: Revoke a user''s access
  version: 1.0.0
  summary: Takes subscription and sign-in away from a user, and proves that both are gone.
sourceDescriptions:
  - name: authos
    url: openapi/authos.yaml
    type: openapi
workflows:
  - workflowId: revoke_access
    summary: Take subscription and sign-in away from a user, and prove that both are gone
    description: |
      The subscription goes first: once the user is unlinked, AuthOS lets nobody remove it any more. Then
      the user, then proof of both. If a subscription is left behind all the same, the user is linked again for a
      moment, by the e-mail address that was read before, and both are removed once more.

      Already issued access tokens of the user live until they expire; they cannot be refreshed.

      A user who is not linked and has no subscription needs nothing: the job is completed.

      Replaying is safe in the direction that matters: it can only take access away. It also takes it from
      a user who was let in again since, which `create_user` mends.
    x-writ:
      jobType: revoke_access
      subject: $inputs.user_id
      retry: {maxAttempts: 40, base: PT1S, cap: PT5M}
      requestTimeout: PT35S
      replay: safe
    inputs:
      type: object
      required: [user_id]
      properties:
        user_id:
          type: string
          format: uuid
          x-writ: {record: clear}
    steps:
      - stepId: read_user
        description: The address is needed if the user has to be linked again to remove an orphan.
        operationId: getUser
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        onFailure:
          - name: not_linked
            type: goto
            stepId: look_for_orphan
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error_code == ''NOT_FOUND''
        outputs:
          email: $response.body#/email
        x-writ:
          outputs:
            email: {record: digest}

      - stepId: remove_subscription
        operationId: deleteSubscription
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        onFailure:
          - name: no_subscription
            type: goto
            stepId: remove_user
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error == ''Subscription not found for this user and service''
          - name: unlinked_meanwhile
            type: goto
            stepId: prove_user_gone
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error_code == ''NOT_FOUND''
        x-writ:
          inDoubt: resend

      - stepId: remove_user
        operationId: deleteUser
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        onFailure:
          - name: already_unlinked
            type: goto
            stepId: prove_user_gone
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error_code == ''NOT_FOUND''
        x-writ:
          inDoubt: resend

      - stepId: prove_user_gone
        description: 404 proves it only with AuthOS''s own error body; any other 404 is a wrong address.
        operationId: getUser
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        successCriteria:
          - condition: $statusCode == 404
          - condition: $response.body#/error_code == ''NOT_FOUND''
        onFailure:
          - name: linked_again
            type: end
            criteria:
              - condition: $statusCode == 200
            x-writ:
              outcome: review
              reason: Somebody has linked the user again while access was revoked.

      - stepId: prove_subscription_gone
        description: |
          404 proves it. 200 shows an orphan; so does 500 on database servers, where this read fails
          exactly when there is a subscription. A 500 that is an ordinary fault goes away when asked again.
        operationId: getSubscription
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        successCriteria:
          - condition: $statusCode == 404
          - condition: $response.body#/error_code == ''NOT_FOUND''
        onSuccess:
          - name: done
            type: end
        onFailure:
          - name: orphan
            type: goto
            stepId: relink
            criteria:
              - condition: $statusCode == 200
              - condition: $steps.read_user.outputs.email != null
          - name: orphan_of_stranger
            type: end
            criteria:
              - condition: $statusCode == 200
            x-writ:
              outcome: review
              reason: |-
                A subscription is left of a user who is not linked. Link him again by his e-mail address
                (create_user), then replay this job.
          - name: ask_again
            type: retry
            retryAfter: 1
            retryLimit: 6
            criteria:
              - condition: $statusCode == 500
              - condition: $response.body#/error_code == ''DATABASE_ERROR''
          - name: orphan_behind_error
            type: goto
            stepId: relink
            criteria:
              - condition: $statusCode == 500
              - condition: $response.body#/error_code == ''DATABASE_ERROR''
              - condition: $steps.read_user.outputs.email != null

      - stepId: relink
        description: |
          The same address gives the same user. If it ever gave another one, nothing more would be touched.
        operationId: createUser
        requestBody:
          contentType: application/json
          payload:
            email: $steps.read_user.outputs.email
        successCriteria:
          - condition: $statusCode == 200 || $statusCode == 201
          - condition: $response.body#/id == $inputs.user_id
        x-writ:
          inDoubt: resend

      - stepId: remove_orphan
        operationId: deleteSubscription
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        onFailure:
          - name: no_subscription
            type: goto
            stepId: unlink
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error == ''Subscription not found for this user and service''
          - name: link_lost
            type: goto
            stepId: relink
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error_code == ''NOT_FOUND''
        x-writ:
          inDoubt: resend

      - stepId: unlink
        operationId: deleteUser
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        onFailure:
          - name: already_unlinked
            type: goto
            stepId: prove_unlinked
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error_code == ''NOT_FOUND''
        x-writ:
          inDoubt: resend

      - stepId: prove_unlinked
        operationId: getUser
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        successCriteria:
          - condition: $statusCode == 404
          - condition: $response.body#/error_code == ''NOT_FOUND''
        onFailure:
          - name: linked_again
            type: end
            criteria:
              - condition: $statusCode == 200
            x-writ:
              outcome: review
              reason: Somebody has linked the user again while access was revoked.

      - stepId: prove_orphan_gone
        description: The second proof; whatever it does not prove waits for a person.
        operationId: getSubscription
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        successCriteria:
          - condition: $statusCode == 404
          - condition: $response.body#/error_code == ''NOT_FOUND''
        onSuccess:
          - name: done
            type: end
        onFailure:
          - name: orphan_stays
            type: end
            criteria:
              - condition: $statusCode == 200
            x-writ: {outcome: review, reason: The subscription is still there after it was removed.}

      - stepId: look_for_orphan
        description: The user is not linked; a subscription of his would be an orphan of an earlier removal.
        operationId: getSubscription
        parameters:
          - {name: user_id, in: path, value: $inputs.user_id}
        successCriteria:
          - condition: $statusCode == 404
          - condition: $response.body#/error_code == ''NOT_FOUND''
        onSuccess:
          - name: done
            type: end
        onFailure:
          - name: orphan_of_stranger
            type: end
            criteria:
              - condition: $statusCode == 200
            x-writ:
              outcome: review
              reason: |-
                A subscription is left of a user who is not linked. Link him again by his e-mail address
                (create_user), then replay this job.
          - name: ask_again
            type: retry
            retryAfter: 1
            retryLimit: 6
            criteria:
              - condition: $statusCode == 500
              - condition: $response.body#/error_code == ''DATABASE_ERROR''
          - name: orphan_behind_error
            type: end
            criteria:
              - condition: $statusCode == 500
              - condition: $response.body#/error_code == ''DATABASE_ERROR''
            x-writ:
              outcome: review
              reason: |-
                AuthOS cannot say whether a subscription is left of this user, who is not linked. Link him
                again by his e-mail address (create_user), then replay this job.
', '[{"path": "openapi/authos.yaml", "text": "# The part of AuthOS''s HTTP API that the job types of this catalogue call.\n#\n# Beyond the standard:\n#   x-required-permission  what the API key of a job needs for the operation; from these Writ computes the\n#                          least privilege of a job type\n#   x-effect               none | create | update | delete: what the operation does to the outside world;\n#                          anything but none has a recorded intent before it is sent\n#   x-writ on a schema     {record: clear|digest|never}: how the audit trail may keep the value;\n#                          {secret: true}: the value may flow into a sink for secrets and nowhere else\n#   x-writ on a scheme     how a session is opened\nopenapi: 3.1.0\ninfo:\n  title: AuthOS, as Writ uses it\n  version: 0.1.40\n  summary: Users, subscriptions and API keys of one service.\n  description: |\n    AuthOS knows no idempotency keys and never answers 409. What a caller must know instead:\n\n    - A 404 whose body is JSON with `error_code` means that AuthOS looked and the thing is not there. A 404\n      with any other body means that the address is wrong. Only the first is ever read as \"gone\".\n    - 500 with `DATABASE_ERROR` is the answer to a violated unique index as well as to a real fault.\n    - 408 comes from a server that gave up after 30 seconds and may still carry the request out.\n    - A user is \"linked\" when the key''s service knows him. Most routes answer 404\n      `User not found or has not authenticated with this service` for anybody else.\nservers:\n  - url: http://127.0.0.1:8080\n    description: Replaced by the base URL of the job''s environment.\nsecurity:\n  - ApiKeyAuth: []\npaths:\n  /api/service/users:\n    post:\n      operationId: createUser\n      summary: Make a user of this e-mail address known to the service\n      description: |\n        Creates the user, or links one who exists, or finds that both are done. All three answer with the\n        same id, so the call may be repeated. Two calls at once for a new address: one answers 500\n        `DATABASE_ERROR`, and 200 or 201 when it is repeated.\n      x-required-permission: write:users\n      x-effect: create\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [email]\n              properties:\n                email:\n                  type: string\n                  format: email\n                  description: Compared exactly as written, so the caller chooses one form.\n                  x-writ: {record: digest}\n      responses:\n        ''200'': {$ref: ''#/components/responses/User''}\n        ''201'': {$ref: ''#/components/responses/User''}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/users/{user_id}:\n    parameters:\n      - $ref: ''#/components/parameters/UserId''\n    get:\n      operationId: getUser\n      summary: Read a linked user\n      x-required-permission: read:users\n      x-effect: none\n      responses:\n        ''200'': {$ref: ''#/components/responses/User''}\n        default: {$ref: ''#/components/responses/Refusal''}\n    delete:\n      operationId: deleteUser\n      summary: Unlink a user from the service\n      description: |\n        Removes every sign-in identity that the user has for the service, then his subscription, whose\n        removal may fail without being told. The second call answers 404 whatever became of the subscription:\n        remove that first, and look afterwards.\n      x-required-permission: delete:users\n      x-effect: delete\n      responses:\n        ''204'': {description: Unlinked.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/subscriptions:\n    post:\n      operationId: createSubscription\n      summary: Give a linked user a subscription\n      description: |\n        One subscription for each user, whatever its plan and status. A second one is answered with 500\n        `DATABASE_ERROR` and changes nothing. Without `current_period_end` the server takes 30 days from now.\n      x-required-permission: write:subscriptions\n      x-effect: create\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [user_id, plan_id]\n              properties:\n                user_id: {type: string, format: uuid, x-writ: {record: clear}}\n                plan_id: {type: string, format: uuid, x-writ: {record: clear}}\n                status: {type: [string, ''null''], x-writ: {record: clear}}\n                current_period_end:\n                  type: [string, ''null'']\n                  format: date-time\n                  x-writ: {record: clear}\n      responses:\n        ''200'': {$ref: ''#/components/responses/Subscription''}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/subscriptions/{user_id}:\n    parameters:\n      - $ref: ''#/components/parameters/UserId''\n    get:\n      operationId: getSubscription\n      summary: See whether a user has a subscription\n      description: |\n        Also for users who are not linked. `current_period_end` is not to be trusted here: on SQLite it\n        is the time of the call, and on database servers the call answers 500 whenever there is a\n        subscription. What can be trusted is 404: there is none. `updateSubscription` with an empty body\n        reads the stored row.\n      x-required-permission: read:subscriptions\n      x-effect: none\n      responses:\n        ''200'': {$ref: ''#/components/responses/Subscription''}\n        default: {$ref: ''#/components/responses/Refusal''}\n    patch:\n      operationId: updateSubscription\n      summary: Change status or end of a subscription; with nothing to change, read it\n      description: |\n        Absolute values, so the call may be repeated. The plan cannot be changed. With an empty object\n        nothing is written and the stored row is answered, on every database.\n      x-required-permission: write:subscriptions\n      x-effect: update\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              properties:\n                status: {type: [string, ''null''], x-writ: {record: clear}}\n                current_period_end:\n                  type: [string, ''null'']\n                  format: date-time\n                  x-writ: {record: clear}\n      responses:\n        ''200'': {$ref: ''#/components/responses/Subscription''}\n        default: {$ref: ''#/components/responses/Refusal''}\n    delete:\n      operationId: deleteSubscription\n      summary: Take a user''s subscription away\n      description: |\n        The second call answers 404 `Subscription not found for this user and service`; for a user who is\n        not linked the text is another one.\n      x-required-permission: delete:subscriptions\n      x-effect: delete\n      responses:\n        ''204'': {description: Taken away.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/info:\n    get:\n      operationId: getServiceInfo\n      summary: Read the service of the key\n      description: |\n        Answers 401 to a key that is unknown, deleted or expired, and 403 to a live key without\n        `read:service`: so it tells a live key from a dead one whatever the key may do.\n      x-required-permission: read:service\n      x-effect: none\n      responses:\n        ''200'':\n          description: The service.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [id, slug]\n                properties:\n                  id: {type: string, format: uuid, x-writ: {record: clear}}\n                  slug: {type: string, x-writ: {record: clear}}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/organizations/{org_slug}/services/{service_slug}/api-keys:\n    parameters:\n      - $ref: ''#/components/parameters/OrganizationSlug''\n      - $ref: ''#/components/parameters/ServiceSlug''\n    get:\n      operationId: listApiKeys\n      summary: List the keys of a service, newest first, without their secrets\n      security: [{ManagementSession: []}]\n      x-effect: none\n      parameters:\n        - name: limit\n          in: query\n          description: At most 100; greater numbers count as 100.\n          schema: {type: integer, minimum: 1, maximum: 100, default: 50}\n        - name: offset\n          in: query\n          schema: {type: integer, minimum: 0, default: 0}\n      responses:\n        ''200'':\n          description: A page of keys and the number of all.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [api_keys, total]\n                properties:\n                  api_keys:\n                    type: array\n                    items: {$ref: ''#/components/schemas/ApiKey''}\n                  total: {type: integer}\n        default: {$ref: ''#/components/responses/Refusal''}\n    post:\n      operationId: createApiKey\n      summary: Make a key; the only answer that ever holds its secret\n      description: |\n        Every call makes another key. One whose answer is lost stays behind, live and unusable: name keys so\n        that they can be found again.\n      security: [{ManagementSession: []}]\n      x-effect: create\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [name, permissions]\n              properties:\n                name: {type: string, minLength: 1, maxLength: 100}\n                permissions: {type: array, minItems: 1, items: {type: string}}\n      responses:\n        ''201'':\n          description: The key with its secret.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [id, prefix, key]\n                properties:\n                  id: {type: string, format: uuid, x-writ: {record: clear}}\n                  name: {type: string, x-writ: {record: clear}}\n                  prefix: {type: string, x-writ: {record: clear}}\n                  permissions: {type: array, items: {type: string}, x-writ: {record: clear}}\n                  key: {type: string, x-writ: {secret: true}}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/organizations/{org_slug}/services/{service_slug}/api-keys/{api_key_id}:\n    parameters:\n      - $ref: ''#/components/parameters/OrganizationSlug''\n      - $ref: ''#/components/parameters/ServiceSlug''\n      - name: api_key_id\n        in: path\n        required: true\n        schema: {type: string, format: uuid}\n    delete:\n      operationId: deleteApiKey\n      summary: Kill a key at once\n      description: The second call answers 404 `API key not found`.\n      security: [{ManagementSession: []}]\n      x-effect: delete\n      responses:\n        ''204'': {description: Dead.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/auth/login:\n    post:\n      operationId: login\n      summary: Open a session for the management routes\n      description: |\n        Writ''s worker calls this by itself. An account that asks for a second factor answers with an\n        empty `refresh_token`; such a session cannot be used.\n      security: []\n      x-effect: none\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [email, password]\n              properties:\n                email: {type: string}\n                password: {type: string, x-writ: {secret: true}}\n      responses:\n        ''200'':\n          description: A session.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [access_token, refresh_token, expires_in]\n                properties:\n                  access_token: {type: string, x-writ: {secret: true}}\n                  refresh_token: {type: string, x-writ: {secret: true}}\n                  expires_in: {type: integer, description: Seconds.}\n        default: {$ref: ''#/components/responses/Refusal''}\ncomponents:\n  securitySchemes:\n    ApiKeyAuth:\n      type: apiKey\n      in: header\n      name: X-Api-Key\n      description: A key of one service; every call acts on that service alone.\n    ManagementSession:\n      type: http\n      scheme: bearer\n      description: The access token of a person or an account that may manage the service.\n      x-writ: {session: {operation: login}}\n  parameters:\n    UserId:\n      name: user_id\n      in: path\n      required: true\n      schema: {type: string, format: uuid}\n    OrganizationSlug:\n      name: org_slug\n      in: path\n      required: true\n      schema: {type: string}\n    ServiceSlug:\n      name: service_slug\n      in: path\n      required: true\n      schema: {type: string}\n  responses:\n    User:\n      description: The user.\n      content:\n        application/json:\n          schema:\n            type: object\n            required: [id, email, created_at]\n            properties:\n              id: {type: string, format: uuid, x-writ: {record: clear}}\n              email: {type: string, x-writ: {record: digest}}\n              created_at: {type: string, format: date-time}\n    Subscription:\n      description: The subscription.\n      content:\n        application/json:\n          schema:\n            type: object\n            required: [id, user_id, plan_id, plan_name, status, current_period_end]\n            properties:\n              id:\n                type: string\n                format: uuid\n                description: Another one after every change of plan.\n                x-writ: {record: clear}\n              user_id: {type: string, format: uuid, x-writ: {record: clear}}\n              plan_id: {type: string, format: uuid, x-writ: {record: clear}}\n              plan_name: {type: string, x-writ: {record: clear}}\n              status: {type: string, x-writ: {record: clear}}\n              current_period_end: {type: string, format: date-time, x-writ: {record: clear}}\n    Refusal:\n      description: |\n        Everything that is no success. What AuthOS itself refuses has this body; what is refused before it\n        gets that far (413, 415, 422, a body that is no JSON) is plain text, and 405 and 408 are empty.\n      content:\n        application/json:\n          schema: {$ref: ''#/components/schemas/Error''}\n  schemas:\n    Error:\n      type: object\n      required: [error, error_code, timestamp]\n      properties:\n        error: {type: string, description: May repeat what was sent; never recorded.}\n        error_code: {type: string, x-writ: {record: clear}}\n        timestamp: {type: string, format: date-time}\n    ApiKey:\n      type: object\n      required: [id, name, prefix]\n      properties:\n        id: {type: string, format: uuid, x-writ: {record: clear}}\n        name: {type: string, x-writ: {record: clear}}\n        prefix:\n          type: string\n          description: The first 15 characters of the key, which are public and unique.\n          x-writ: {record: clear}\n        permissions: {type: array, items: {type: string}}\n        last_used_at: {type: [string, ''null''], format: date-time}\n        expires_at: {type: [string, ''null''], format: date-time}\n        created_at: {type: string, format: date-time}\n"}, {"path": "revoke_access.arazzo.yaml", "text": "arazzo: 1.0.1\ninfo:\n  title: Revoke a user''s access\n  version: 1.0.0\n  summary: Takes subscription and sign-in away from a user, and proves that both are gone.\nsourceDescriptions:\n  - name: authos\n    url: openapi/authos.yaml\n    type: openapi\nworkflows:\n  - workflowId: revoke_access\n    summary: Take subscription and sign-in away from a user, and prove that both are gone\n    description: |\n      The subscription goes first: once the user is unlinked, AuthOS lets nobody remove it any more. Then\n      the user, then proof of both. If a subscription is left behind all the same, the user is linked again for a\n      moment, by the e-mail address that was read before, and both are removed once more.\n\n      Already issued access tokens of the user live until they expire; they cannot be refreshed.\n\n      A user who is not linked and has no subscription needs nothing: the job is completed.\n\n      Replaying is safe in the direction that matters: it can only take access away. It also takes it from\n      a user who was let in again since, which `create_user` mends.\n    x-writ:\n      jobType: revoke_access\n      subject: $inputs.user_id\n      retry: {maxAttempts: 40, base: PT1S, cap: PT5M}\n      requestTimeout: PT35S\n      replay: safe\n    inputs:\n      type: object\n      required: [user_id]\n      properties:\n        user_id:\n          type: string\n          format: uuid\n          x-writ: {record: clear}\n    steps:\n      - stepId: read_user\n        description: The address is needed if the user has to be linked again to remove an orphan.\n        operationId: getUser\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        onFailure:\n          - name: not_linked\n            type: goto\n            stepId: look_for_orphan\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error_code == ''NOT_FOUND''\n        outputs:\n          email: $response.body#/email\n        x-writ:\n          outputs:\n            email: {record: digest}\n\n      - stepId: remove_subscription\n        operationId: deleteSubscription\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        onFailure:\n          - name: no_subscription\n            type: goto\n            stepId: remove_user\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error == ''Subscription not found for this user and service''\n          - name: unlinked_meanwhile\n            type: goto\n            stepId: prove_user_gone\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error_code == ''NOT_FOUND''\n        x-writ:\n          inDoubt: resend\n\n      - stepId: remove_user\n        operationId: deleteUser\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        onFailure:\n          - name: already_unlinked\n            type: goto\n            stepId: prove_user_gone\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error_code == ''NOT_FOUND''\n        x-writ:\n          inDoubt: resend\n\n      - stepId: prove_user_gone\n        description: 404 proves it only with AuthOS''s own error body; any other 404 is a wrong address.\n        operationId: getUser\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        successCriteria:\n          - condition: $statusCode == 404\n          - condition: $response.body#/error_code == ''NOT_FOUND''\n        onFailure:\n          - name: linked_again\n            type: end\n            criteria:\n              - condition: $statusCode == 200\n            x-writ:\n              outcome: review\n              reason: Somebody has linked the user again while access was revoked.\n\n      - stepId: prove_subscription_gone\n        description: |\n          404 proves it. 200 shows an orphan; so does 500 on database servers, where this read fails\n          exactly when there is a subscription. A 500 that is an ordinary fault goes away when asked again.\n        operationId: getSubscription\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        successCriteria:\n          - condition: $statusCode == 404\n          - condition: $response.body#/error_code == ''NOT_FOUND''\n        onSuccess:\n          - name: done\n            type: end\n        onFailure:\n          - name: orphan\n            type: goto\n            stepId: relink\n            criteria:\n              - condition: $statusCode == 200\n              - condition: $steps.read_user.outputs.email != null\n          - name: orphan_of_stranger\n            type: end\n            criteria:\n              - condition: $statusCode == 200\n            x-writ:\n              outcome: review\n              reason: |-\n                A subscription is left of a user who is not linked. Link him again by his e-mail address\n                (create_user), then replay this job.\n          - name: ask_again\n            type: retry\n            retryAfter: 1\n            retryLimit: 6\n            criteria:\n              - condition: $statusCode == 500\n              - condition: $response.body#/error_code == ''DATABASE_ERROR''\n          - name: orphan_behind_error\n            type: goto\n            stepId: relink\n            criteria:\n              - condition: $statusCode == 500\n              - condition: $response.body#/error_code == ''DATABASE_ERROR''\n              - condition: $steps.read_user.outputs.email != null\n\n      - stepId: relink\n        description: |\n          The same address gives the same user. If it ever gave another one, nothing more would be touched.\n        operationId: createUser\n        requestBody:\n          contentType: application/json\n          payload:\n            email: $steps.read_user.outputs.email\n        successCriteria:\n          - condition: $statusCode == 200 || $statusCode == 201\n          - condition: $response.body#/id == $inputs.user_id\n        x-writ:\n          inDoubt: resend\n\n      - stepId: remove_orphan\n        operationId: deleteSubscription\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        onFailure:\n          - name: no_subscription\n            type: goto\n            stepId: unlink\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error == ''Subscription not found for this user and service''\n          - name: link_lost\n            type: goto\n            stepId: relink\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error_code == ''NOT_FOUND''\n        x-writ:\n          inDoubt: resend\n\n      - stepId: unlink\n        operationId: deleteUser\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        onFailure:\n          - name: already_unlinked\n            type: goto\n            stepId: prove_unlinked\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error_code == ''NOT_FOUND''\n        x-writ:\n          inDoubt: resend\n\n      - stepId: prove_unlinked\n        operationId: getUser\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        successCriteria:\n          - condition: $statusCode == 404\n          - condition: $response.body#/error_code == ''NOT_FOUND''\n        onFailure:\n          - name: linked_again\n            type: end\n            criteria:\n              - condition: $statusCode == 200\n            x-writ:\n              outcome: review\n              reason: Somebody has linked the user again while access was revoked.\n\n      - stepId: prove_orphan_gone\n        description: The second proof; whatever it does not prove waits for a person.\n        operationId: getSubscription\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        successCriteria:\n          - condition: $statusCode == 404\n          - condition: $response.body#/error_code == ''NOT_FOUND''\n        onSuccess:\n          - name: done\n            type: end\n        onFailure:\n          - name: orphan_stays\n            type: end\n            criteria:\n              - condition: $statusCode == 200\n            x-writ: {outcome: review, reason: The subscription is still there after it was removed.}\n\n      - stepId: look_for_orphan\n        description: The user is not linked; a subscription of his would be an orphan of an earlier removal.\n        operationId: getSubscription\n        parameters:\n          - {name: user_id, in: path, value: $inputs.user_id}\n        successCriteria:\n          - condition: $statusCode == 404\n          - condition: $response.body#/error_code == ''NOT_FOUND''\n        onSuccess:\n          - name: done\n            type: end\n        onFailure:\n          - name: orphan_of_stranger\n            type: end\n            criteria:\n              - condition: $statusCode == 200\n            x-writ:\n              outcome: review\n              reason: |-\n                A subscription is left of a user who is not linked. Link him again by his e-mail address\n                (create_user), then replay this job.\n          - name: ask_again\n            type: retry\n            retryAfter: 1\n            retryLimit: 6\n            criteria:\n              - condition: $statusCode == 500\n              - condition: $response.body#/error_code == ''DATABASE_ERROR''\n          - name: orphan_behind_error\n            type: end\n            criteria:\n              - condition: $statusCode == 500\n              - condition: $response.body#/error_code == ''DATABASE_ERROR''\n            x-writ:\n              outcome: review\n              reason: |-\n                AuthOS cannot say whether a subscription is left of this user, who is not linked. Link him\n                again by his e-mail address (create_user), then replay this job.\n"}]', '2026-11-24 18:13:59.017591+00', 'promise_admin'),
	('eff3cf0bc70e7c295ad446309b06e69e179dbc0622054e5df16b7505e9748632', 'rotate_api_key', 'rotate_api_key.arazzo.yaml', 'arazzo: 1.0.1
info:
  title: Rotate the API key of a job type
  version: 1.0.0
  summary: Replaces the key with which jobs of one type call AuthOS.
sourceDescriptions:
  - name: authos
    url: openapi/authos.yaml
    type: openapi
  - name: writ
    url: openapi/writ.yaml
    type: openapi
workflows:
  - workflowId: rotate_api_key
    summary: Replace the key with which jobs of one type call AuthOS
    description: |
      Makes a key with the least privilege of the job type, stores it, proves that it is alive, puts it into
      use, deletes the old one and proves that it is dead. Without a key in use, it puts a first one in place.

      A key''s secret is in one answer only. If that answer is lost, the key is found by its name, which holds
      the number of the job, and deleted before another one is made: no live key stays behind unknown.

      The management routes are called with a session that the worker opens by itself.

      Replaying is safe: it rotates whatever key is in use then.
    x-writ:
      jobType: rotate_api_key
      subject: $inputs.job_type
      retry: {maxAttempts: 20, base: PT1S, cap: PT5M}
      requestTimeout: PT35S
      replay: safe
      concurrency: 4
    inputs:
      type: object
      required: [job_type, organization, service, environment, job_id]
      properties:
        job_type:
          type: string
          pattern: ^[a-z][a-z0-9_]*$
          maxLength: 63
          description: The job type whose key is replaced.
          x-writ: {record: clear}
        organization:
          type: string
          description: The slug of the organization in AuthOS.
          x-writ: {record: clear, from: environment, name: organization}
        service:
          type: string
          description: The slug of the service in AuthOS.
          x-writ: {record: clear, from: environment, name: service}
        environment:
          type: string
          x-writ: {record: clear, from: job, name: environment}
        job_id:
          type: integer
          x-writ: {record: clear, from: job, name: id}
    steps:
      - stepId: describe
        description: Which key is in use, and what the new one has to be allowed.
        operationId: $sourceDescriptions.writ.describeKey
        requestBody:
          contentType: application/json
          payload:
            environment: $inputs.environment
            job_type: $inputs.job_type
        onSuccess:
          - name: no_key_in_use
            type: goto
            stepId: look_for_orphan
            criteria:
              - condition: $response.body#/prefix == null
        onFailure:
          - name: needs_no_key
            type: end
            criteria:
              - condition: $statusCode == 404
            x-writ:
              outcome: discard
              reason: There is no such job type, or it needs no key.
        outputs:
          prefix: $response.body#/prefix
          permissions: $response.body#/permissions
        x-writ:
          outputs:
            prefix: {record: clear}
            permissions: {record: clear}

      - stepId: list_keys
        operationId: $sourceDescriptions.authos.listApiKeys
        parameters:
          - {name: org_slug, in: path, value: $inputs.organization}
          - {name: service_slug, in: path, value: $inputs.service}
          - {name: limit, in: query, value: 100}
        onSuccess:
          - name: too_many
            type: end
            criteria:
              - condition: $response.body#/total > 100
            x-writ:
              outcome: discard
              reason: The service has more than 100 keys, too many to find one; delete those not in use.
        outputs:
          keys: $response.body#/api_keys

      - stepId: find_old
        description: The old key''s id, by the public part of the key.
        operationId: $sourceDescriptions.writ.findInList
        requestBody:
          contentType: application/json
          payload:
            list: $steps.list_keys.outputs.keys
            where:
              prefix: $steps.describe.outputs.prefix
        onFailure:
          - name: not_of_this_service
            type: end
            criteria:
              - condition: $statusCode == 404
            x-writ:
              outcome: discard
              reason: |-
                The key in use is not one of this service''s keys. Check organization and service of the
                environment; if the key was deleted in AuthOS, remove its file and rotate again.
        outputs:
          id: $response.body#/item/id
        x-writ:
          outputs:
            id: {record: clear}

      - stepId: look_for_orphan
        description: A key that an earlier try of this job has made, and whose secret was lost.
        operationId: $sourceDescriptions.authos.listApiKeys
        parameters:
          - {name: org_slug, in: path, value: $inputs.organization}
          - {name: service_slug, in: path, value: $inputs.service}
          - {name: limit, in: query, value: 100}
        outputs:
          keys: $response.body#/api_keys

      - stepId: find_orphan
        operationId: $sourceDescriptions.writ.findInList
        requestBody:
          contentType: application/json
          payload:
            list: $steps.look_for_orphan.outputs.keys
            where:
              name: writ {$inputs.job_type} job {$inputs.job_id}
        onFailure:
          - name: no_orphan
            type: goto
            stepId: create_key
            criteria:
              - condition: $statusCode == 404
        outputs:
          id: $response.body#/item/id
        x-writ:
          outputs:
            id: {record: clear}

      - stepId: remove_orphan
        operationId: $sourceDescriptions.authos.deleteApiKey
        parameters:
          - {name: org_slug, in: path, value: $inputs.organization}
          - {name: service_slug, in: path, value: $inputs.service}
          - {name: api_key_id, in: path, value: $steps.find_orphan.outputs.id}
        onSuccess:
          - name: look_again
            type: goto
            stepId: look_for_orphan
        onFailure:
          - name: already_gone
            type: goto
            stepId: look_for_orphan
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error == ''API key not found''
        x-writ:
          inDoubt: resend

      - stepId: create_key
        description: The secret goes from the answer into the store, and nowhere else, before the step counts as done.
        operationId: $sourceDescriptions.authos.createApiKey
        parameters:
          - {name: org_slug, in: path, value: $inputs.organization}
          - {name: service_slug, in: path, value: $inputs.service}
        requestBody:
          contentType: application/json
          payload:
            name: writ {$inputs.job_type} job {$inputs.job_id}
            permissions: $steps.describe.outputs.permissions
        outputs:
          key: $response.body#/key
          key_id: $response.body#/id
          prefix: $response.body#/prefix
        x-writ:
          inDoubt: {goto: look_for_orphan}
          outputs:
            key: {secret: true}
            key_id: {record: clear}
            prefix: {record: clear}
          sink:
            key: {store: ''{$inputs.environment}/{$inputs.job_type}.pending.key''}

      - stepId: prove_new
        description: 403 is as good as 200, it comes only after the key was accepted; 401 means a dead key.
        operationId: $sourceDescriptions.authos.getServiceInfo
        successCriteria:
          - condition: $statusCode == 200 || ($statusCode == 403 && $response.body#/error_code == ''FORBIDDEN'')
        onFailure:
          - name: not_accepted_yet
            type: retry
            retryAfter: 2
            retryLimit: 5
            criteria:
              - condition: $statusCode == 401
          - name: not_accepted
            type: end
            criteria:
              - condition: $statusCode == 401
            x-writ:
              outcome: review
              reason: |-
                AuthOS does not accept the new key; the old one is still in use. Delete the new key in AuthOS,
                or lift what keeps it from being accepted and replay the job.
        x-writ:
          credential: {stored: ''{$inputs.environment}/{$inputs.job_type}.pending.key''}

      - stepId: promote
        description: From here on, every worker that shares this store uses the new key.
        operationId: $sourceDescriptions.writ.promoteKey
        requestBody:
          contentType: application/json
          payload:
            environment: $inputs.environment
            job_type: $inputs.job_type
        onSuccess:
          - name: first_key
            type: end
            criteria:
              - condition: $steps.describe.outputs.prefix == null
        x-writ:
          inDoubt: resend

      - stepId: remove_old
        operationId: $sourceDescriptions.authos.deleteApiKey
        parameters:
          - {name: org_slug, in: path, value: $inputs.organization}
          - {name: service_slug, in: path, value: $inputs.service}
          - {name: api_key_id, in: path, value: $steps.find_old.outputs.id}
        onFailure:
          - name: already_gone
            type: goto
            stepId: prove_old_dead
            criteria:
              - condition: $statusCode == 404
              - condition: $response.body#/error == ''API key not found''
        x-writ:
          inDoubt: resend

      - stepId: prove_old_dead
        description: Only 401 proves it.
        operationId: $sourceDescriptions.authos.getServiceInfo
        successCriteria:
          - condition: $statusCode == 401
        onFailure:
          - name: still_alive
            type: retry
            retryAfter: 2
            retryLimit: 5
            criteria:
              - condition: $statusCode == 200 || $statusCode == 403
          - name: stays_alive
            type: end
            criteria:
              - condition: $statusCode == 200 || $statusCode == 403
            x-writ:
              outcome: review
              reason: The new key is in use, but AuthOS still accepts the old one; delete it in AuthOS.
        x-writ:
          credential: {stored: ''{$inputs.environment}/{$inputs.job_type}.previous.key''}

      - stepId: discard_previous
        operationId: $sourceDescriptions.writ.discardPreviousKey
        requestBody:
          contentType: application/json
          payload:
            environment: $inputs.environment
            job_type: $inputs.job_type
        onSuccess:
          - name: done
            type: end
        x-writ:
          inDoubt: resend
    outputs:
      key_id: $steps.create_key.outputs.key_id
      prefix: $steps.create_key.outputs.prefix
', '[{"path": "openapi/authos.yaml", "text": "# The part of AuthOS''s HTTP API that the job types of this catalogue call.\n#\n# Beyond the standard:\n#   x-required-permission  what the API key of a job needs for the operation; from these Writ computes the\n#                          least privilege of a job type\n#   x-effect               none | create | update | delete: what the operation does to the outside world;\n#                          anything but none has a recorded intent before it is sent\n#   x-writ on a schema     {record: clear|digest|never}: how the audit trail may keep the value;\n#                          {secret: true}: the value may flow into a sink for secrets and nowhere else\n#   x-writ on a scheme     how a session is opened\nopenapi: 3.1.0\ninfo:\n  title: AuthOS, as Writ uses it\n  version: 0.1.40\n  summary: Users, subscriptions and API keys of one service.\n  description: |\n    AuthOS knows no idempotency keys and never answers 409. What a caller must know instead:\n\n    - A 404 whose body is JSON with `error_code` means that AuthOS looked and the thing is not there. A 404\n      with any other body means that the address is wrong. Only the first is ever read as \"gone\".\n    - 500 with `DATABASE_ERROR` is the answer to a violated unique index as well as to a real fault.\n    - 408 comes from a server that gave up after 30 seconds and may still carry the request out.\n    - A user is \"linked\" when the key''s service knows him. Most routes answer 404\n      `User not found or has not authenticated with this service` for anybody else.\nservers:\n  - url: http://127.0.0.1:8080\n    description: Replaced by the base URL of the job''s environment.\nsecurity:\n  - ApiKeyAuth: []\npaths:\n  /api/service/users:\n    post:\n      operationId: createUser\n      summary: Make a user of this e-mail address known to the service\n      description: |\n        Creates the user, or links one who exists, or finds that both are done. All three answer with the\n        same id, so the call may be repeated. Two calls at once for a new address: one answers 500\n        `DATABASE_ERROR`, and 200 or 201 when it is repeated.\n      x-required-permission: write:users\n      x-effect: create\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [email]\n              properties:\n                email:\n                  type: string\n                  format: email\n                  description: Compared exactly as written, so the caller chooses one form.\n                  x-writ: {record: digest}\n      responses:\n        ''200'': {$ref: ''#/components/responses/User''}\n        ''201'': {$ref: ''#/components/responses/User''}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/users/{user_id}:\n    parameters:\n      - $ref: ''#/components/parameters/UserId''\n    get:\n      operationId: getUser\n      summary: Read a linked user\n      x-required-permission: read:users\n      x-effect: none\n      responses:\n        ''200'': {$ref: ''#/components/responses/User''}\n        default: {$ref: ''#/components/responses/Refusal''}\n    delete:\n      operationId: deleteUser\n      summary: Unlink a user from the service\n      description: |\n        Removes every sign-in identity that the user has for the service, then his subscription, whose\n        removal may fail without being told. The second call answers 404 whatever became of the subscription:\n        remove that first, and look afterwards.\n      x-required-permission: delete:users\n      x-effect: delete\n      responses:\n        ''204'': {description: Unlinked.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/subscriptions:\n    post:\n      operationId: createSubscription\n      summary: Give a linked user a subscription\n      description: |\n        One subscription for each user, whatever its plan and status. A second one is answered with 500\n        `DATABASE_ERROR` and changes nothing. Without `current_period_end` the server takes 30 days from now.\n      x-required-permission: write:subscriptions\n      x-effect: create\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [user_id, plan_id]\n              properties:\n                user_id: {type: string, format: uuid, x-writ: {record: clear}}\n                plan_id: {type: string, format: uuid, x-writ: {record: clear}}\n                status: {type: [string, ''null''], x-writ: {record: clear}}\n                current_period_end:\n                  type: [string, ''null'']\n                  format: date-time\n                  x-writ: {record: clear}\n      responses:\n        ''200'': {$ref: ''#/components/responses/Subscription''}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/subscriptions/{user_id}:\n    parameters:\n      - $ref: ''#/components/parameters/UserId''\n    get:\n      operationId: getSubscription\n      summary: See whether a user has a subscription\n      description: |\n        Also for users who are not linked. `current_period_end` is not to be trusted here: on SQLite it\n        is the time of the call, and on database servers the call answers 500 whenever there is a\n        subscription. What can be trusted is 404: there is none. `updateSubscription` with an empty body\n        reads the stored row.\n      x-required-permission: read:subscriptions\n      x-effect: none\n      responses:\n        ''200'': {$ref: ''#/components/responses/Subscription''}\n        default: {$ref: ''#/components/responses/Refusal''}\n    patch:\n      operationId: updateSubscription\n      summary: Change status or end of a subscription; with nothing to change, read it\n      description: |\n        Absolute values, so the call may be repeated. The plan cannot be changed. With an empty object\n        nothing is written and the stored row is answered, on every database.\n      x-required-permission: write:subscriptions\n      x-effect: update\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              properties:\n                status: {type: [string, ''null''], x-writ: {record: clear}}\n                current_period_end:\n                  type: [string, ''null'']\n                  format: date-time\n                  x-writ: {record: clear}\n      responses:\n        ''200'': {$ref: ''#/components/responses/Subscription''}\n        default: {$ref: ''#/components/responses/Refusal''}\n    delete:\n      operationId: deleteSubscription\n      summary: Take a user''s subscription away\n      description: |\n        The second call answers 404 `Subscription not found for this user and service`; for a user who is\n        not linked the text is another one.\n      x-required-permission: delete:subscriptions\n      x-effect: delete\n      responses:\n        ''204'': {description: Taken away.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/service/info:\n    get:\n      operationId: getServiceInfo\n      summary: Read the service of the key\n      description: |\n        Answers 401 to a key that is unknown, deleted or expired, and 403 to a live key without\n        `read:service`: so it tells a live key from a dead one whatever the key may do.\n      x-required-permission: read:service\n      x-effect: none\n      responses:\n        ''200'':\n          description: The service.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [id, slug]\n                properties:\n                  id: {type: string, format: uuid, x-writ: {record: clear}}\n                  slug: {type: string, x-writ: {record: clear}}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/organizations/{org_slug}/services/{service_slug}/api-keys:\n    parameters:\n      - $ref: ''#/components/parameters/OrganizationSlug''\n      - $ref: ''#/components/parameters/ServiceSlug''\n    get:\n      operationId: listApiKeys\n      summary: List the keys of a service, newest first, without their secrets\n      security: [{ManagementSession: []}]\n      x-effect: none\n      parameters:\n        - name: limit\n          in: query\n          description: At most 100; greater numbers count as 100.\n          schema: {type: integer, minimum: 1, maximum: 100, default: 50}\n        - name: offset\n          in: query\n          schema: {type: integer, minimum: 0, default: 0}\n      responses:\n        ''200'':\n          description: A page of keys and the number of all.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [api_keys, total]\n                properties:\n                  api_keys:\n                    type: array\n                    items: {$ref: ''#/components/schemas/ApiKey''}\n                  total: {type: integer}\n        default: {$ref: ''#/components/responses/Refusal''}\n    post:\n      operationId: createApiKey\n      summary: Make a key; the only answer that ever holds its secret\n      description: |\n        Every call makes another key. One whose answer is lost stays behind, live and unusable: name keys so\n        that they can be found again.\n      security: [{ManagementSession: []}]\n      x-effect: create\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [name, permissions]\n              properties:\n                name: {type: string, minLength: 1, maxLength: 100}\n                permissions: {type: array, minItems: 1, items: {type: string}}\n      responses:\n        ''201'':\n          description: The key with its secret.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [id, prefix, key]\n                properties:\n                  id: {type: string, format: uuid, x-writ: {record: clear}}\n                  name: {type: string, x-writ: {record: clear}}\n                  prefix: {type: string, x-writ: {record: clear}}\n                  permissions: {type: array, items: {type: string}, x-writ: {record: clear}}\n                  key: {type: string, x-writ: {secret: true}}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/organizations/{org_slug}/services/{service_slug}/api-keys/{api_key_id}:\n    parameters:\n      - $ref: ''#/components/parameters/OrganizationSlug''\n      - $ref: ''#/components/parameters/ServiceSlug''\n      - name: api_key_id\n        in: path\n        required: true\n        schema: {type: string, format: uuid}\n    delete:\n      operationId: deleteApiKey\n      summary: Kill a key at once\n      description: The second call answers 404 `API key not found`.\n      security: [{ManagementSession: []}]\n      x-effect: delete\n      responses:\n        ''204'': {description: Dead.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /api/auth/login:\n    post:\n      operationId: login\n      summary: Open a session for the management routes\n      description: |\n        Writ''s worker calls this by itself. An account that asks for a second factor answers with an\n        empty `refresh_token`; such a session cannot be used.\n      security: []\n      x-effect: none\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [email, password]\n              properties:\n                email: {type: string}\n                password: {type: string, x-writ: {secret: true}}\n      responses:\n        ''200'':\n          description: A session.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [access_token, refresh_token, expires_in]\n                properties:\n                  access_token: {type: string, x-writ: {secret: true}}\n                  refresh_token: {type: string, x-writ: {secret: true}}\n                  expires_in: {type: integer, description: Seconds.}\n        default: {$ref: ''#/components/responses/Refusal''}\ncomponents:\n  securitySchemes:\n    ApiKeyAuth:\n      type: apiKey\n      in: header\n      name: X-Api-Key\n      description: A key of one service; every call acts on that service alone.\n    ManagementSession:\n      type: http\n      scheme: bearer\n      description: The access token of a person or an account that may manage the service.\n      x-writ: {session: {operation: login}}\n  parameters:\n    UserId:\n      name: user_id\n      in: path\n      required: true\n      schema: {type: string, format: uuid}\n    OrganizationSlug:\n      name: org_slug\n      in: path\n      required: true\n      schema: {type: string}\n    ServiceSlug:\n      name: service_slug\n      in: path\n      required: true\n      schema: {type: string}\n  responses:\n    User:\n      description: The user.\n      content:\n        application/json:\n          schema:\n            type: object\n            required: [id, email, created_at]\n            properties:\n              id: {type: string, format: uuid, x-writ: {record: clear}}\n              email: {type: string, x-writ: {record: digest}}\n              created_at: {type: string, format: date-time}\n    Subscription:\n      description: The subscription.\n      content:\n        application/json:\n          schema:\n            type: object\n            required: [id, user_id, plan_id, plan_name, status, current_period_end]\n            properties:\n              id:\n                type: string\n                format: uuid\n                description: Another one after every change of plan.\n                x-writ: {record: clear}\n              user_id: {type: string, format: uuid, x-writ: {record: clear}}\n              plan_id: {type: string, format: uuid, x-writ: {record: clear}}\n              plan_name: {type: string, x-writ: {record: clear}}\n              status: {type: string, x-writ: {record: clear}}\n              current_period_end: {type: string, format: date-time, x-writ: {record: clear}}\n    Refusal:\n      description: |\n        Everything that is no success. What AuthOS itself refuses has this body; what is refused before it\n        gets that far (413, 415, 422, a body that is no JSON) is plain text, and 405 and 408 are empty.\n      content:\n        application/json:\n          schema: {$ref: ''#/components/schemas/Error''}\n  schemas:\n    Error:\n      type: object\n      required: [error, error_code, timestamp]\n      properties:\n        error: {type: string, description: May repeat what was sent; never recorded.}\n        error_code: {type: string, x-writ: {record: clear}}\n        timestamp: {type: string, format: date-time}\n    ApiKey:\n      type: object\n      required: [id, name, prefix]\n      properties:\n        id: {type: string, format: uuid, x-writ: {record: clear}}\n        name: {type: string, x-writ: {record: clear}}\n        prefix:\n          type: string\n          description: The first 15 characters of the key, which are public and unique.\n          x-writ: {record: clear}\n        permissions: {type: array, items: {type: string}}\n        last_used_at: {type: [string, ''null''], format: date-time}\n        expires_at: {type: [string, ''null''], format: date-time}\n        created_at: {type: string, format: date-time}\n"}, {"path": "openapi/writ.yaml", "text": "# Operations that the worker itself carries out, described like an API so that a workflow can use them and a\n# reader can see them. Nothing here leaves the worker''s machine. All may be repeated without harm.\nopenapi: 3.1.0\ninfo:\n  title: Local operations of Writ\n  version: 1.0.0\n  summary: The worker''s secret store, and two ways to look into values that a workflow already has.\nx-writ-local: true\nservers:\n  - url: local:/\npaths:\n  /keys/describe:\n    post:\n      operationId: describeKey\n      summary: What the store holds for a job type, and what its key has to be allowed\n      description: |\n        404 with `NOT_FOUND`: the job type is unknown, or nothing that it calls needs a key.\n      x-effect: none\n      requestBody: {$ref: ''#/components/requestBodies/KeyOwner''}\n      responses:\n        ''200'':\n          description: The key in use, without its secret.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [name, prefix, permissions]\n                properties:\n                  name: {type: string, description: The name in the secret store., x-writ: {record: clear}}\n                  prefix:\n                    type: [string, ''null'']\n                    description: The public part of the key in use; null where there is none.\n                    x-writ: {record: clear}\n                  permissions:\n                    type: array\n                    description: The least privilege of the job type, sorted.\n                    items: {type: string}\n                    x-writ: {record: clear}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /keys/promote:\n    post:\n      operationId: promoteKey\n      summary: Make the pending key the one in use, and keep the one before as the previous one\n      description: Without a pending key nothing happens, so a repetition after a crash is harmless.\n      x-effect: update\n      requestBody: {$ref: ''#/components/requestBodies/KeyOwner''}\n      responses:\n        ''204'': {description: Promoted; every request from now on uses the new key.}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /keys/discard-previous:\n    post:\n      operationId: discardPreviousKey\n      summary: Forget the previous key\n      x-effect: delete\n      requestBody: {$ref: ''#/components/requestBodies/KeyOwner''}\n      responses:\n        ''204'': {description: ''Forgotten, or not there.''}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /values/find-in-list:\n    post:\n      operationId: findInList\n      summary: The first element of a list whose members equal those that are asked for\n      x-effect: none\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              required: [list, where]\n              properties:\n                list: {type: array, items: {type: object}}\n                where: {type: object, minProperties: 1}\n      responses:\n        ''200'':\n          description: Found.\n          content:\n            application/json:\n              schema:\n                type: object\n                required: [item]\n                properties:\n                  item: {type: object}\n        default: {$ref: ''#/components/responses/Refusal''}\n  /values/first-of-each:\n    post:\n      operationId: firstOfEach\n      summary: For each member, a list of candidates, the first candidate that is not null\n      x-effect: none\n      requestBody:\n        required: true\n        content:\n          application/json:\n            schema:\n              type: object\n              additionalProperties: {type: array}\n      responses:\n        ''200'':\n          description: The choices under the names that were sent; null where every candidate is null.\n          content:\n            application/json:\n              schema: {type: object}\n        default: {$ref: ''#/components/responses/Refusal''}\ncomponents:\n  requestBodies:\n    KeyOwner:\n      required: true\n      content:\n        application/json:\n          schema:\n            type: object\n            required: [environment, job_type]\n            properties:\n              environment: {type: string, x-writ: {record: clear}}\n              job_type: {type: string, x-writ: {record: clear}}\n  responses:\n    Refusal:\n      description: |\n        404 `NOT_FOUND`: there is nothing of the kind. 400 `BAD_REQUEST`: the input has another shape.\n        503 `SECRET_STORE`: the store cannot be used now.\n      content:\n        application/json:\n          schema:\n            type: object\n            required: [error_code]\n            properties:\n              error_code: {type: string, x-writ: {record: clear}}\n"}, {"path": "rotate_api_key.arazzo.yaml", "text": "arazzo: 1.0.1\ninfo:\n  title: Rotate the API key of a job type\n  version: 1.0.0\n  summary: Replaces the key with which jobs of one type call AuthOS.\nsourceDescriptions:\n  - name: authos\n    url: openapi/authos.yaml\n    type: openapi\n  - name: writ\n    url: openapi/writ.yaml\n    type: openapi\nworkflows:\n  - workflowId: rotate_api_key\n    summary: Replace the key with which jobs of one type call AuthOS\n    description: |\n      Makes a key with the least privilege of the job type, stores it, proves that it is alive, puts it into\n      use, deletes the old one and proves that it is dead. Without a key in use, it puts a first one in place.\n\n      A key''s secret is in one answer only. If that answer is lost, the key is found by its name, which holds\n      the number of the job, and deleted before another one is made: no live key stays behind unknown.\n\n      The management routes are called with a session that the worker opens by itself.\n\n      Replaying is safe: it rotates whatever key is in use then.\n    x-writ:\n      jobType: rotate_api_key\n      subject: $inputs.job_type\n      retry: {maxAttempts: 20, base: PT1S, cap: PT5M}\n      requestTimeout: PT35S\n      replay: safe\n      concurrency: 4\n    inputs:\n      type: object\n      required: [job_type, organization, service, environment, job_id]\n      properties:\n        job_type:\n          type: string\n          pattern: ^[a-z][a-z0-9_]*$\n          maxLength: 63\n          description: The job type whose key is replaced.\n          x-writ: {record: clear}\n        organization:\n          type: string\n          description: The slug of the organization in AuthOS.\n          x-writ: {record: clear, from: environment, name: organization}\n        service:\n          type: string\n          description: The slug of the service in AuthOS.\n          x-writ: {record: clear, from: environment, name: service}\n        environment:\n          type: string\n          x-writ: {record: clear, from: job, name: environment}\n        job_id:\n          type: integer\n          x-writ: {record: clear, from: job, name: id}\n    steps:\n      - stepId: describe\n        description: Which key is in use, and what the new one has to be allowed.\n        operationId: $sourceDescriptions.writ.describeKey\n        requestBody:\n          contentType: application/json\n          payload:\n            environment: $inputs.environment\n            job_type: $inputs.job_type\n        onSuccess:\n          - name: no_key_in_use\n            type: goto\n            stepId: look_for_orphan\n            criteria:\n              - condition: $response.body#/prefix == null\n        onFailure:\n          - name: needs_no_key\n            type: end\n            criteria:\n              - condition: $statusCode == 404\n            x-writ:\n              outcome: discard\n              reason: There is no such job type, or it needs no key.\n        outputs:\n          prefix: $response.body#/prefix\n          permissions: $response.body#/permissions\n        x-writ:\n          outputs:\n            prefix: {record: clear}\n            permissions: {record: clear}\n\n      - stepId: list_keys\n        operationId: $sourceDescriptions.authos.listApiKeys\n        parameters:\n          - {name: org_slug, in: path, value: $inputs.organization}\n          - {name: service_slug, in: path, value: $inputs.service}\n          - {name: limit, in: query, value: 100}\n        onSuccess:\n          - name: too_many\n            type: end\n            criteria:\n              - condition: $response.body#/total > 100\n            x-writ:\n              outcome: discard\n              reason: The service has more than 100 keys, too many to find one; delete those not in use.\n        outputs:\n          keys: $response.body#/api_keys\n\n      - stepId: find_old\n        description: The old key''s id, by the public part of the key.\n        operationId: $sourceDescriptions.writ.findInList\n        requestBody:\n          contentType: application/json\n          payload:\n            list: $steps.list_keys.outputs.keys\n            where:\n              prefix: $steps.describe.outputs.prefix\n        onFailure:\n          - name: not_of_this_service\n            type: end\n            criteria:\n              - condition: $statusCode == 404\n            x-writ:\n              outcome: discard\n              reason: |-\n                The key in use is not one of this service''s keys. Check organization and service of the\n                environment; if the key was deleted in AuthOS, remove its file and rotate again.\n        outputs:\n          id: $response.body#/item/id\n        x-writ:\n          outputs:\n            id: {record: clear}\n\n      - stepId: look_for_orphan\n        description: A key that an earlier try of this job has made, and whose secret was lost.\n        operationId: $sourceDescriptions.authos.listApiKeys\n        parameters:\n          - {name: org_slug, in: path, value: $inputs.organization}\n          - {name: service_slug, in: path, value: $inputs.service}\n          - {name: limit, in: query, value: 100}\n        outputs:\n          keys: $response.body#/api_keys\n\n      - stepId: find_orphan\n        operationId: $sourceDescriptions.writ.findInList\n        requestBody:\n          contentType: application/json\n          payload:\n            list: $steps.look_for_orphan.outputs.keys\n            where:\n              name: writ {$inputs.job_type} job {$inputs.job_id}\n        onFailure:\n          - name: no_orphan\n            type: goto\n            stepId: create_key\n            criteria:\n              - condition: $statusCode == 404\n        outputs:\n          id: $response.body#/item/id\n        x-writ:\n          outputs:\n            id: {record: clear}\n\n      - stepId: remove_orphan\n        operationId: $sourceDescriptions.authos.deleteApiKey\n        parameters:\n          - {name: org_slug, in: path, value: $inputs.organization}\n          - {name: service_slug, in: path, value: $inputs.service}\n          - {name: api_key_id, in: path, value: $steps.find_orphan.outputs.id}\n        onSuccess:\n          - name: look_again\n            type: goto\n            stepId: look_for_orphan\n        onFailure:\n          - name: already_gone\n            type: goto\n            stepId: look_for_orphan\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error == ''API key not found''\n        x-writ:\n          inDoubt: resend\n\n      - stepId: create_key\n        description: The secret goes from the answer into the store, and nowhere else, before the step counts as done.\n        operationId: $sourceDescriptions.authos.createApiKey\n        parameters:\n          - {name: org_slug, in: path, value: $inputs.organization}\n          - {name: service_slug, in: path, value: $inputs.service}\n        requestBody:\n          contentType: application/json\n          payload:\n            name: writ {$inputs.job_type} job {$inputs.job_id}\n            permissions: $steps.describe.outputs.permissions\n        outputs:\n          key: $response.body#/key\n          key_id: $response.body#/id\n          prefix: $response.body#/prefix\n        x-writ:\n          inDoubt: {goto: look_for_orphan}\n          outputs:\n            key: {secret: true}\n            key_id: {record: clear}\n            prefix: {record: clear}\n          sink:\n            key: {store: ''{$inputs.environment}/{$inputs.job_type}.pending.key''}\n\n      - stepId: prove_new\n        description: 403 is as good as 200, it comes only after the key was accepted; 401 means a dead key.\n        operationId: $sourceDescriptions.authos.getServiceInfo\n        successCriteria:\n          - condition: $statusCode == 200 || ($statusCode == 403 && $response.body#/error_code == ''FORBIDDEN'')\n        onFailure:\n          - name: not_accepted_yet\n            type: retry\n            retryAfter: 2\n            retryLimit: 5\n            criteria:\n              - condition: $statusCode == 401\n          - name: not_accepted\n            type: end\n            criteria:\n              - condition: $statusCode == 401\n            x-writ:\n              outcome: review\n              reason: |-\n                AuthOS does not accept the new key; the old one is still in use. Delete the new key in AuthOS,\n                or lift what keeps it from being accepted and replay the job.\n        x-writ:\n          credential: {stored: ''{$inputs.environment}/{$inputs.job_type}.pending.key''}\n\n      - stepId: promote\n        description: From here on, every worker that shares this store uses the new key.\n        operationId: $sourceDescriptions.writ.promoteKey\n        requestBody:\n          contentType: application/json\n          payload:\n            environment: $inputs.environment\n            job_type: $inputs.job_type\n        onSuccess:\n          - name: first_key\n            type: end\n            criteria:\n              - condition: $steps.describe.outputs.prefix == null\n        x-writ:\n          inDoubt: resend\n\n      - stepId: remove_old\n        operationId: $sourceDescriptions.authos.deleteApiKey\n        parameters:\n          - {name: org_slug, in: path, value: $inputs.organization}\n          - {name: service_slug, in: path, value: $inputs.service}\n          - {name: api_key_id, in: path, value: $steps.find_old.outputs.id}\n        onFailure:\n          - name: already_gone\n            type: goto\n            stepId: prove_old_dead\n            criteria:\n              - condition: $statusCode == 404\n              - condition: $response.body#/error == ''API key not found''\n        x-writ:\n          inDoubt: resend\n\n      - stepId: prove_old_dead\n        description: Only 401 proves it.\n        operationId: $sourceDescriptions.authos.getServiceInfo\n        successCriteria:\n          - condition: $statusCode == 401\n        onFailure:\n          - name: still_alive\n            type: retry\n            retryAfter: 2\n            retryLimit: 5\n            criteria:\n              - condition: $statusCode == 200 || $statusCode == 403\n          - name: stays_alive\n            type: end\n            criteria:\n              - condition: $statusCode == 200 || $statusCode == 403\n            x-writ:\n              outcome: review\n              reason: The new key is in use, but AuthOS still accepts the old one; delete it in AuthOS.\n        x-writ:\n          credential: {stored: ''{$inputs.environment}/{$inputs.job_type}.previous.key''}\n\n      - stepId: discard_previous\n        operationId: $sourceDescriptions.writ.discardPreviousKey\n        requestBody:\n          contentType: application/json\n          payload:\n            environment: $inputs.environment\n            job_type: $inputs.job_type\n        onSuccess:\n          - name: done\n            type: end\n        x-writ:\n          inDoubt: resend\n    outputs:\n      key_id: $steps.create_key.outputs.key_id\n      prefix: $steps.create_key.outputs.prefix\n"}]', '2026-11-24 18:13:59.033544+00', 'promise_admin');

INSERT INTO writ_data.digest_key VALUES
	(true, '\xc983f59c83b473684028e106f0ca1913ac608643d3c127136674499b98bfa80e3636363636363636363636363636363636363636363636363636363636363636', '\xa3e99ff6e9de19022a428b6c9aa07379c60aec29b9ab4d790c1e23f1f2d5c2645c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c');

INSERT INTO writ_data.environment VALUES
	('default', true, '2026-11-24 18:13:58.576412+00');

INSERT INTO writ_data.idempotency_key VALUES
	('default', 'create_user', 'done-1', 1, '2026-11-24 18:13:59.307659+00', '\xf2eae4ae781dab555e89e1df431310c3e7ac9e7e9b9cc78e0f361725bdf746ee'),
	('default', 'create_user', 'done-2', 2, '2026-11-24 18:13:59.314986+00', '\x4298f82da87458e3ed9ab77258c7795f2641f084dead595345a5fbdbb5bd442f'),
	('default', 'create_user', 'done-3', 3, '2026-11-24 18:13:59.315434+00', '\x7646befc2957ee94c9ea92ccf9477a2bc959ca4c597e7edfb6b3596e4d87376f'),
	('default', 'change_plan', 'gone-1', 4, '2026-11-24 18:13:59.317385+00', '\xaa02e44aff34613771432878396ec524ba04691c3006ec058dfd293e3d055f06'),
	('default', 'create_user', 'cancelled-1', 5, '2026-11-24 18:13:59.318468+00', '\x1ec6edd5568ac0fed841bbe70a6d7b97061af79491a85885b132bf58772d3ff4'),
	('default', 'create_user', 'running-1', 6, '2026-11-24 18:14:07.565594+00', '\xdad6e1828da0a896b8e0474c1d218660cf8950c63697d68353198a6d7448c342'),
	('default', 'create_user', 'available-1', 10, '2026-11-24 18:14:10.439916+00', '\xc0d58f320f00bd4471fd2731f812f94a8700f823a03f030909f22350807f1ab9'),
	('default', 'create_user', 'scheduled-1', 12, '2026-11-24 18:14:10.477079+00', '\x83eb59cf24fd075458c1de949091f10b007d71f92f6894e82d6c719e66da3b9b'),
	('default', 'create_user', 'third-1', 13, '2026-11-24 18:14:10.487635+00', '\x700732ffa7c2bceebd07a9260adf8a6a93e615e597932bc4d9cc86fe52ad0146');

INSERT INTO writ_data.job VALUES
	(6, NULL, '2026-11-24 18:14:07.565594+00', '2026-11-24 18:14:07.565594+00', NULL, '2026-11-24 18:14:07.583229+00', NULL, 1, 1, 0, 20, 'running', NULL, 5, true, false, false, 'create_user', 'default', 'default', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'running@acme.test', '\x8c1ba853119c334cc6399252eff1e49845ae65ce83901da22b325f2d67f2616d', 'promise_enqueuer', NULL, 'running-1', NULL, '{"email": "running@acme.test"}', NULL),
	(7, NULL, '2026-11-24 18:14:07.581518+00', '2026-11-24 18:14:07.581518+00', NULL, '2026-11-24 18:14:07.591181+00', NULL, 1, 1, 0, 20, 'running', NULL, 5, true, false, false, 'change_plan', 'default', 'default', '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', '4687e965-68c4-4210-9c44-2a5c3c97d714', '\xd3c40a6a842dd3993bfd301a1030866681d297367180370430c873e423e97530', 'promise_enqueuer', NULL, NULL, NULL, '{"plan_id": "614f5601-77dc-4567-be8b-cf144dd4fc9a", "user_id": "4687e965-68c4-4210-9c44-2a5c3c97d714"}', NULL),
	(8, NULL, '2026-11-24 18:14:07.588754+00', '2026-11-24 18:14:07.588754+00', NULL, NULL, '2026-11-24 18:14:07.597731+00', NULL, 0, 0, 20, 'waiting', 'predecessor', 5, false, false, false, 'change_plan', 'default', 'default', '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', '4687e965-68c4-4210-9c44-2a5c3c97d714', '\xd3c40a6a842dd3993bfd301a1030866681d297367180370430c873e423e97530', 'promise_enqueuer', NULL, NULL, NULL, '{"plan_id": "a53c36d7-6cec-49e0-b585-27120fbbe785", "user_id": "4687e965-68c4-4210-9c44-2a5c3c97d714"}', NULL),
	(9, NULL, '2026-11-24 18:14:07.593192+00', '2026-11-24 18:14:07.593192+00', NULL, '2026-11-24 18:14:07.599336+00', NULL, 1, 1, 0, 20, 'running', NULL, 5, true, false, false, 'create_user', 'default', 'default', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'lost@acme.test', '\x4d6e0f98d7c62be3dc19cc3229ce7801c8e31616208eef3431392246414372f9', 'promise_enqueuer', NULL, NULL, NULL, '{"email": "lost@acme.test"}', NULL),
	(10, 9, '2026-11-24 18:14:10.439916+00', '2026-11-24 18:14:10.439916+00', NULL, NULL, NULL, NULL, 0, 0, 20, 'available', NULL, 5, false, false, false, 'create_user', 'default', 'default', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'available@acme.test', '\x3db704e26019cdcd819b1ca4216b49f392a394aa575dc6bb2f403412201f7168', 'promise_enqueuer', NULL, 'available-1', NULL, '{"email": "available@acme.test"}', NULL),
	(11, 10, '2026-11-24 18:14:10.473013+00', '2026-11-24 18:14:10.473013+00', NULL, NULL, NULL, NULL, 0, 0, 20, 'available', NULL, 2, false, false, false, 'create_user', 'default', 'default', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'available@acme.test', '\x3db704e26019cdcd819b1ca4216b49f392a394aa575dc6bb2f403412201f7168', 'promise_enqueuer', NULL, NULL, NULL, '{"email": "available@acme.test"}', NULL),
	(12, NULL, '2026-11-24 18:24:10.476566+00', '2026-11-24 18:14:10.477079+00', NULL, NULL, NULL, NULL, 0, 0, 20, 'scheduled', NULL, 5, false, false, false, 'create_user', 'default', 'default', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'scheduled@acme.test', '\x224544297961b4bf5d093cf693b23643c6b8dc01b6f520601b9c94902f7e600e', 'promise_enqueuer', NULL, 'scheduled-1', NULL, '{"email": "scheduled@acme.test"}', NULL),
	(13, 11, '2026-11-24 18:14:10.487635+00', '2026-11-24 18:14:10.487635+00', NULL, NULL, NULL, NULL, 0, 0, 20, 'available', NULL, 9, false, false, false, 'create_user', 'default', 'default', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'third@acme.test', '\x1aa2fef9585ef6729dcdfe437efb8616ef75d620861b2ff788968e1cb74ed8c1', 'promise_enqueuer', NULL, 'third-1', NULL, '{"email": "third@acme.test"}', NULL),
	(14, NULL, '2026-11-24 18:14:25.228609+00', '2026-11-24 18:14:25.228609+00', NULL, '2026-11-24 18:14:25.335066+00', NULL, 2, 1, 0, 20, 'running', NULL, 5, false, false, false, 'change_plan', 'default', 'side', '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', '9fb9aad1-c505-4349-b7b6-77c17d40430c', '\x0abe6ba872ebf005bdf4986f74b42080981a154f42c8e0d73fbe5b70e7413a04', 'promise_enqueuer', NULL, NULL, NULL, '{"plan_id": "614f5601-77dc-4567-be8b-cf144dd4fc9a", "user_id": "9fb9aad1-c505-4349-b7b6-77c17d40430c"}', NULL),
	(15, NULL, '2026-11-24 18:24:46.168618+00', '2026-11-24 18:14:25.242075+00', NULL, '2026-11-24 18:14:25.335066+00', NULL, NULL, 1, 1, 20, 'retryable', NULL, 5, false, false, false, 'create_user', 'default', 'side', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'retryable@acme.test', '\x1b34688de0a5ad74458b7cf57bf27e0605591607dea45ce2c677b9603def989d', 'promise_enqueuer', NULL, NULL, NULL, '{"email": "retryable@acme.test"}', '{"code": "bad_gateway", "text": "the service answered 502"}'),
	(16, NULL, '2026-11-24 18:14:25.243277+00', '2026-11-24 18:14:25.243277+00', NULL, '2026-11-24 18:14:25.335066+00', '2026-11-24 18:14:46.168618+00', NULL, 1, 1, 20, 'waiting', 'review', 5, true, false, false, 'create_user', 'default', 'side', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'review@acme.test', '\x69f6e1c118e26c3d287eddc0c60bd80f2e68998e3b9e6cee8190f9067f28272a', 'promise_enqueuer', NULL, NULL, NULL, '{"email": "review@acme.test"}', '{"code": "undecided", "text": "nobody can tell"}');

INSERT INTO writ_data.job_history_y2026m11 VALUES
	(5, '2026-11-24 19:13:59.318236+00', '2026-11-24 18:13:59.318468+00', NULL, NULL, '2026-11-24 18:13:59.36795+00', NULL, 0, 0, 20, 'cancelled', 5, false, 'create_user', 'default', 'default', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'cancelled@acme.test', '\xce253272eaecafee49226abba51e7e2c18d7e956b3d3dfec614379587eaa6a86', 'promise_enqueuer', NULL, 'cancelled-1', NULL, '{"email": "cancelled@acme.test"}', NULL, NULL),
	(2, '2026-11-24 18:13:59.314986+00', '2026-11-24 18:13:59.314986+00', NULL, '2026-11-24 18:13:59.498577+00', '2026-11-24 18:13:59.640423+00', 1, 1, 0, 20, 'completed', 5, false, 'create_user', 'default', 'default', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'done2@acme.test', '\x0f13790d1a2ab269ca426d21cd985b22f9938ba93ed582be9fe0eb9c969a0b40', 'promise_enqueuer', NULL, 'done-2', NULL, '{"email": "done2@acme.test"}', NULL, '{"user_id": "f55a4fab-153e-4bb6-82e3-a951f8d6d4eb"}'),
	(1, '2026-11-24 18:13:59.307659+00', '2026-11-24 18:13:59.307659+00', NULL, '2026-11-24 18:13:59.498577+00', '2026-11-24 18:13:59.666162+00', 1, 1, 0, 20, 'completed', 5, false, 'create_user', 'default', 'default', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'done1@acme.test', '\x56bf16a613856a51c0494d8160eca412ea71b2a3a976468089a9e9b76ec9462f', 'promise_enqueuer', NULL, 'done-1', NULL, '{"email": "done1@acme.test"}', NULL, '{"user_id": "da1be7f5-6462-4ccf-a46e-30f940259b43"}'),
	(3, '2026-11-24 18:13:59.315434+00', '2026-11-24 18:13:59.315434+00', NULL, '2026-11-24 18:13:59.498577+00', '2026-11-24 18:13:59.666162+00', 1, 1, 0, 20, 'completed', 5, false, 'create_user', 'default', 'default', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 'done3@acme.test', '\xd8f8c1e9d1180a842e19382ba20afe473d7a2a38748f2ad18331384848cd8f40', 'promise_enqueuer', NULL, 'done-3', NULL, '{"email": "done3@acme.test"}', NULL, '{"user_id": "06249a9c-e83b-42a0-a39e-f21ebb6b1e47"}'),
	(4, '2026-11-24 18:13:59.317385+00', '2026-11-24 18:13:59.317385+00', NULL, '2026-11-24 18:13:59.498577+00', '2026-11-24 18:13:59.679584+00', 1, 1, 0, 20, 'discarded', 5, false, 'change_plan', 'default', 'default', '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', '00000000-0000-4000-8000-000000000009', '\x1cef05fd383e7b58fc4efdf27ab03ea2f08fedb1d6bfa23520c44a63ebe3b91d', 'promise_enqueuer', NULL, 'gone-1', NULL, '{"plan_id": "614f5601-77dc-4567-be8b-cf144dd4fc9a", "user_id": "00000000-0000-4000-8000-000000000009"}', '{"code": "user_not_linked", "step": "read_current", "text": "The user is not known to the service.", "status": 404}', NULL);

INSERT INTO writ_data.job_type VALUES
	('change_plan', '01d417862603aa8cd8f87226292b0fd743919d2750ed79a4694468ea112d8a1c', 1, '"user_id" uuid default null, "plan_id" uuid default null, "status" text default null, "current_period_end" timestamptz default null, run_at timestamptz default null, priority int default null, idempotency_key text default null, environment text default null, queue text default null, traceparent text default null; "user_id" text, "plan_id" text default null, "status" text default null, "current_period_end" text default null, run_at timestamptz default null, priority int default null, idempotency_key text default null, environment text default null, queue text default null, traceparent text default null', 'Move a user''s subscription to another plan', '[{"kind": "uuid", "name": "user_id", "record": "clear", "required": true}, {"kind": "uuid", "name": "plan_id", "record": "clear", "required": true, "description": "The plan that the user shall have."}, {"kind": "string", "name": "status", "record": "clear", "required": false, "max_length": 50, "min_length": 1, "description": "AuthOS takes any text; `active` alone counts as active. Left out, the old one is kept."}, {"kind": "date_time", "name": "current_period_end", "record": "clear", "required": false, "description": "When the paid period ends, best in whole seconds. Left out, the old one is kept; for a first\nsubscription AuthOS then takes 30 days from the moment of the call.\n"}]', '[{"input": "user_id"}]', 20, NULL, NULL, 'review', '2026-11-24 18:13:58.97173+00', 'promise_admin'),
	('create_user', 'b368877f7b9205bb3d65edc165145fba76f44c10404a795a66a86ff1eabe6390', 1, '"email" text default null, run_at timestamptz default null, priority int default null, idempotency_key text default null, environment text default null, queue text default null, traceparent text default null', 'Make a person known to the service, by e-mail address', '[{"kind": "email", "name": "email", "record": "digest", "required": true, "normalize": "lowercase", "max_length": 254, "description": "AuthOS compares addresses letter by letter, so all are brought into lower case."}]', '[{"input": "email"}]', 20, NULL, NULL, 'review', '2026-11-24 18:13:59.005243+00', 'promise_admin'),
	('revoke_access', '4e4d297c840b1fe52ce4ba04684f963da298b70609b6daf175e83f04fee481b6', 1, '"user_id" uuid default null, run_at timestamptz default null, priority int default null, idempotency_key text default null, environment text default null, queue text default null, traceparent text default null; "user_id" text, run_at timestamptz default null, priority int default null, idempotency_key text default null, environment text default null, queue text default null, traceparent text default null', 'Take subscription and sign-in away from a user, and prove that both are gone', '[{"kind": "uuid", "name": "user_id", "record": "clear", "required": true}]', '[{"input": "user_id"}]', 40, NULL, NULL, 'safe', '2026-11-24 18:13:59.017591+00', 'promise_admin'),
	('rotate_api_key', 'eff3cf0bc70e7c295ad446309b06e69e179dbc0622054e5df16b7505e9748632', 1, '"job_type" text default null, run_at timestamptz default null, priority int default null, idempotency_key text default null, environment text default null, queue text default null, traceparent text default null', 'Replace the key with which jobs of one type call AuthOS', '[{"kind": "string", "name": "job_type", "record": "clear", "pattern": "^[a-z][a-z0-9_]*$", "required": true, "max_length": 63, "description": "The job type whose key is replaced."}]', '[{"input": "job_type"}]', 20, 4, NULL, 'safe', '2026-11-24 18:13:59.033544+00', 'promise_admin');

INSERT INTO writ_data.journal VALUES
	(14, '2026-11-24 18:14:46.166618+00', '2026-11-24 18:14:46.168618+00', 2000, 1, 1, 200, 'read_current', 'none', 'succeeded', NULL, '{"status": "active", "plan_id": "a53c36d7-6cec-49e0-b585-27120fbbe785", "current_period_end": "2027-01-15T08:00:00Z"}', '{"do": "next"}'),
	(14, '2026-11-24 18:14:46.168608+00', '2026-11-24 18:14:46.168618+00', 10, 2, 1, 200, 'settle_terms', 'none', 'succeeded', NULL, '{"status": "active", "current_period_end": "2027-01-15T08:00:00Z"}', '{"do": "next"}'),
	(14, '2026-11-24 18:14:46.168618+00', NULL, NULL, 3, 1, NULL, 'remove_old', 'delete', NULL, NULL, NULL, NULL);

INSERT INTO writ_data.journal_history_y2026m11 VALUES
	(2, '2026-11-24 18:13:59.613117+00', '2026-11-24 18:13:59.640423+00', '2026-11-24 18:13:59.640423+00', 27306, 1, 1, 201, 'create', 'create', 'succeeded', NULL, '{"status": 201, "user_id": "f55a4fab-153e-4bb6-82e3-a951f8d6d4eb"}', '{"do": "next"}'),
	(3, '2026-11-24 18:13:59.616953+00', '2026-11-24 18:13:59.666162+00', '2026-11-24 18:13:59.666162+00', 49209, 1, 1, 201, 'create', 'create', 'succeeded', NULL, '{"status": 201, "user_id": "06249a9c-e83b-42a0-a39e-f21ebb6b1e47"}', '{"do": "next"}'),
	(1, '2026-11-24 18:13:59.643038+00', '2026-11-24 18:13:59.666162+00', '2026-11-24 18:13:59.666162+00', 23124, 1, 1, 201, 'create', 'create', 'succeeded', NULL, '{"status": 201, "user_id": "da1be7f5-6462-4ccf-a46e-30f940259b43"}', '{"do": "next"}'),
	(4, '2026-11-24 18:13:59.674179+00', '2026-11-24 18:13:59.679584+00', '2026-11-24 18:13:59.679584+00', 5405, 1, 1, 404, 'read_current', 'none', 'failed', 'NOT_FOUND', '{}', '{"do": "end", "rule": "user_not_linked", "reason": "The user is not known to the service.", "outcome": "discard"}');

INSERT INTO writ_data.schema_migration VALUES
	(1, 'schemas_and_roles', '2c4c361562b2790653e2e09650a5d616d53265470697f12bcaba57b1f6d2c599', '2026-11-24 18:13:58.56164+00', 'postgres', 14),
	(2, 'tables', '9e00002183bd2d2c8a8e4d08152133eb3a36532e1ace34ea7df3aa787012f477', '2026-11-24 18:13:58.567076+00', 'postgres', 56),
	(3, 'audit', '72d0f7afad11d0863f628332c87432319cab93729ac0c310b359b0dea75a7287', '2026-11-24 18:13:58.625075+00', 'postgres', 19),
	(4, 'enqueue', '02ff127dfbfe767912ec3b7b36f9e16bda582b9890ed79d35f18ecae8984e7ff', '2026-11-24 18:13:58.645614+00', 'postgres', 6),
	(5, 'publish', '1789d7dc05cca925a723b282200e83858d4ddf71f288de12d9b38d1c53207ece', '2026-11-24 18:13:58.652771+00', 'postgres', 12),
	(6, 'worker', '65244eac6250304d0153a0dc3dd238529e9f99fb0a6273a2ab2b347a991e7d2e', '2026-11-24 18:13:58.667573+00', 'postgres', 14),
	(7, 'people', 'f319e73378ad29b695eae20d6d1916e92495c194f86a3f774f104bd62a5f87d7', '2026-11-24 18:13:58.683458+00', 'postgres', 58);

INSERT INTO writ_data.subject_slot VALUES
	('default', 'running@acme.test', 6),
	('default', '4687e965-68c4-4210-9c44-2a5c3c97d714', 7),
	('default', 'lost@acme.test', 9),
	('default', '9fb9aad1-c505-4349-b7b6-77c17d40430c', 14),
	('default', 'retryable@acme.test', 15),
	('default', 'review@acme.test', 16);

INSERT INTO writ_data.sweep_state VALUES
	(true, '2026-11-24 18:13:09.556429+00', '2026-11-24 18:13:59.487291+00');

INSERT INTO writ_data.worker OVERRIDING SYSTEM VALUE VALUES
	(1, '2026-11-24 18:13:59.474841+00', '2026-11-24 18:14:09.501399+00', '2026-11-24 18:14:16.501399+00', NULL, 32258, 'live', true, false, 'old', 'vm', '0.1.0', 'promise_worker'),
	(2, '2026-11-24 18:14:25.320842+00', '2026-11-24 18:14:25.320842+00', '2026-11-24 18:13:46.32005+00', NULL, 1, 'live', false, false, 'side', 'here', '0.1.0', 'promise_worker');

SELECT pg_catalog.setval('writ_data.audit_event_id_seq', 49, true);

SELECT pg_catalog.setval('writ_data.claim_order', 14, true);

SELECT pg_catalog.setval('writ_data.job_id', 16, true);

SELECT pg_catalog.setval('writ_data.worker_id_seq', 2, true);

ALTER TABLE ONLY writ_data.audit_event
    ADD CONSTRAINT audit_event_pkey PRIMARY KEY (id, occurred_at);

ALTER TABLE ONLY writ_data.audit_event_default
    ADD CONSTRAINT audit_event_default_pkey PRIMARY KEY (id, occurred_at);

ALTER TABLE ONLY writ_data.audit_event_y2026m11
    ADD CONSTRAINT audit_event_y2026m11_pkey PRIMARY KEY (id, occurred_at);

ALTER TABLE ONLY writ_data.audit_event_y2026m12
    ADD CONSTRAINT audit_event_y2026m12_pkey PRIMARY KEY (id, occurred_at);

ALTER TABLE ONLY writ_data.definition
    ADD CONSTRAINT definition_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY writ_data.digest_key
    ADD CONSTRAINT digest_key_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY writ_data.environment
    ADD CONSTRAINT environment_pkey PRIMARY KEY (name);

ALTER TABLE ONLY writ_data.gate
    ADD CONSTRAINT gate_pkey PRIMARY KEY (environment, type);

ALTER TABLE ONLY writ_data.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (environment, type, key);

ALTER TABLE ONLY writ_data.job_history
    ADD CONSTRAINT job_history_pkey PRIMARY KEY (id, finished_at);

ALTER TABLE ONLY writ_data.job_history_default
    ADD CONSTRAINT job_history_default_pkey PRIMARY KEY (id, finished_at);

ALTER TABLE ONLY writ_data.job_history_y2026m11
    ADD CONSTRAINT job_history_y2026m11_pkey PRIMARY KEY (id, finished_at);

ALTER TABLE ONLY writ_data.job_history_y2026m12
    ADD CONSTRAINT job_history_y2026m12_pkey PRIMARY KEY (id, finished_at);

ALTER TABLE ONLY writ_data.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY writ_data.job_type
    ADD CONSTRAINT job_type_pkey PRIMARY KEY (name);

ALTER TABLE ONLY writ_data.journal_history
    ADD CONSTRAINT journal_history_pkey PRIMARY KEY (job_id, seq, finished_at);

ALTER TABLE ONLY writ_data.journal_history_default
    ADD CONSTRAINT journal_history_default_pkey PRIMARY KEY (job_id, seq, finished_at);

ALTER TABLE ONLY writ_data.journal_history_y2026m11
    ADD CONSTRAINT journal_history_y2026m11_pkey PRIMARY KEY (job_id, seq, finished_at);

ALTER TABLE ONLY writ_data.journal_history_y2026m12
    ADD CONSTRAINT journal_history_y2026m12_pkey PRIMARY KEY (job_id, seq, finished_at);

ALTER TABLE ONLY writ_data.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (job_id, seq);

ALTER TABLE ONLY writ_data.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (version);

ALTER TABLE ONLY writ_data.subject_slot
    ADD CONSTRAINT subject_slot_pkey PRIMARY KEY (environment, subject);

ALTER TABLE ONLY writ_data.sweep_state
    ADD CONSTRAINT sweep_state_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY writ_data.worker
    ADD CONSTRAINT worker_pkey PRIMARY KEY (id);

CREATE INDEX audit_event_job ON ONLY writ_data.audit_event USING btree (job_id) WHERE (job_id IS NOT NULL);

CREATE INDEX audit_event_default_job_id_idx ON writ_data.audit_event_default USING btree (job_id) WHERE (job_id IS NOT NULL);

CREATE INDEX audit_event_y2026m11_job_id_idx ON writ_data.audit_event_y2026m11 USING btree (job_id) WHERE (job_id IS NOT NULL);

CREATE INDEX audit_event_y2026m12_job_id_idx ON writ_data.audit_event_y2026m12 USING btree (job_id) WHERE (job_id IS NOT NULL);

CREATE UNIQUE INDEX environment_default ON writ_data.environment USING btree (is_default) WHERE is_default;

CREATE INDEX idempotency_key_age ON writ_data.idempotency_key USING btree (created_at);

CREATE INDEX job_available ON writ_data.job USING btree (queue, environment, priority, claim_order) WHERE (state = 'available'::writ_data.job_state);

CREATE INDEX job_due ON writ_data.job USING btree (run_at) WHERE (state = ANY (ARRAY['scheduled'::writ_data.job_state, 'retryable'::writ_data.job_state]));

CREATE INDEX job_history_subject ON ONLY writ_data.job_history USING btree (environment, subject, id) WHERE (subject IS NOT NULL);

CREATE INDEX job_history_default_environment_subject_id_idx ON writ_data.job_history_default USING btree (environment, subject, id) WHERE (subject IS NOT NULL);

CREATE INDEX job_history_y2026m11_environment_subject_id_idx ON writ_data.job_history_y2026m11 USING btree (environment, subject, id) WHERE (subject IS NOT NULL);

CREATE INDEX job_history_y2026m12_environment_subject_id_idx ON writ_data.job_history_y2026m12 USING btree (environment, subject, id) WHERE (subject IS NOT NULL);

CREATE INDEX job_limited ON writ_data.job USING btree (environment, type) WHERE ((state = 'running'::writ_data.job_state) AND is_limited);

CREATE INDEX job_parked ON writ_data.job USING btree (environment, type, priority, id) WHERE ((state = 'waiting'::writ_data.job_state) AND (waiting_reason = 'concurrency'::writ_data.waiting_reason));

CREATE INDEX job_running ON writ_data.job USING btree (worker_id) WHERE (state = 'running'::writ_data.job_state);

CREATE INDEX job_subject ON writ_data.job USING btree (environment, subject, id) WHERE (subject IS NOT NULL);

CREATE INDEX job_waiting ON writ_data.job USING btree (waiting_since) WHERE ((state = 'waiting'::writ_data.job_state) AND (waiting_reason = ANY (ARRAY['predecessor'::writ_data.waiting_reason, 'concurrency'::writ_data.waiting_reason])));

CREATE INDEX worker_unswept ON writ_data.worker USING btree (id) WHERE (NOT is_swept);

ALTER INDEX writ_data.audit_event_job ATTACH PARTITION writ_data.audit_event_default_job_id_idx;

ALTER INDEX writ_data.audit_event_pkey ATTACH PARTITION writ_data.audit_event_default_pkey;

ALTER INDEX writ_data.audit_event_job ATTACH PARTITION writ_data.audit_event_y2026m11_job_id_idx;

ALTER INDEX writ_data.audit_event_pkey ATTACH PARTITION writ_data.audit_event_y2026m11_pkey;

ALTER INDEX writ_data.audit_event_job ATTACH PARTITION writ_data.audit_event_y2026m12_job_id_idx;

ALTER INDEX writ_data.audit_event_pkey ATTACH PARTITION writ_data.audit_event_y2026m12_pkey;

ALTER INDEX writ_data.job_history_subject ATTACH PARTITION writ_data.job_history_default_environment_subject_id_idx;

ALTER INDEX writ_data.job_history_pkey ATTACH PARTITION writ_data.job_history_default_pkey;

ALTER INDEX writ_data.job_history_subject ATTACH PARTITION writ_data.job_history_y2026m11_environment_subject_id_idx;

ALTER INDEX writ_data.job_history_pkey ATTACH PARTITION writ_data.job_history_y2026m11_pkey;

ALTER INDEX writ_data.job_history_subject ATTACH PARTITION writ_data.job_history_y2026m12_environment_subject_id_idx;

ALTER INDEX writ_data.job_history_pkey ATTACH PARTITION writ_data.job_history_y2026m12_pkey;

ALTER INDEX writ_data.journal_history_pkey ATTACH PARTITION writ_data.journal_history_default_pkey;

ALTER INDEX writ_data.journal_history_pkey ATTACH PARTITION writ_data.journal_history_y2026m11_pkey;

ALTER INDEX writ_data.journal_history_pkey ATTACH PARTITION writ_data.journal_history_y2026m12_pkey;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON writ_data.audit_event FOR EACH ROW EXECUTE FUNCTION writ_data.refuse_change();

CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON writ_data.audit_event FOR EACH STATEMENT EXECUTE FUNCTION writ_data.refuse_change();

CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON writ_data.audit_event_default FOR EACH STATEMENT EXECUTE FUNCTION writ_data.refuse_change();

CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON writ_data.audit_event_y2026m11 FOR EACH STATEMENT EXECUTE FUNCTION writ_data.refuse_change();

CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON writ_data.audit_event_y2026m12 FOR EACH STATEMENT EXECUTE FUNCTION writ_data.refuse_change();

ALTER TABLE ONLY writ_data.job_type
    ADD CONSTRAINT job_type_definition_hash_fkey FOREIGN KEY (definition_hash) REFERENCES writ_data.definition(hash);

GRANT USAGE ON SCHEMA writ TO writ_enqueuer;
GRANT USAGE ON SCHEMA writ TO writ_admin;
GRANT USAGE ON SCHEMA writ TO writ_auditor;

GRANT USAGE ON SCHEMA writ_worker TO writ_worker;

REVOKE ALL ON FUNCTION writ.cancel(job_id bigint, force boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.cancel(job_id bigint, force boolean) TO writ_admin;

REVOKE ALL ON FUNCTION writ.change_plan(user_id text, plan_id text, status text, current_period_end text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.change_plan(user_id text, plan_id text, status text, current_period_end text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) TO promise_enqueuer;

REVOKE ALL ON FUNCTION writ.change_plan(user_id uuid, plan_id uuid, status text, current_period_end timestamp with time zone, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.change_plan(user_id uuid, plan_id uuid, status text, current_period_end timestamp with time zone, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) TO promise_enqueuer;

REVOKE ALL ON FUNCTION writ.create_environment(name text, is_default boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.create_environment(name text, is_default boolean) TO writ_admin;

REVOKE ALL ON FUNCTION writ.create_user(email text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.create_user(email text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) TO promise_enqueuer;

REVOKE ALL ON FUNCTION writ.digest(value text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.digest(value text) TO writ_admin;
GRANT ALL ON FUNCTION writ.digest(value text) TO writ_auditor;

REVOKE ALL ON FUNCTION writ.enqueue(type text, payload jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.enqueue(type text, payload jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.enqueue(type text, payload jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) TO writ_admin;

REVOKE ALL ON FUNCTION writ.enqueue(type text, payload text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.enqueue(type text, payload text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.enqueue(type text, payload text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) TO writ_admin;

REVOKE ALL ON FUNCTION writ.grant_job_type(job_type text, role_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.grant_job_type(job_type text, role_name text) TO writ_admin;

REVOKE ALL ON FUNCTION writ.predecessor(job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.predecessor(job_id bigint) TO writ_admin;
GRANT ALL ON FUNCTION writ.predecessor(job_id bigint) TO writ_auditor;

REVOKE ALL ON FUNCTION writ.publish_job_type(spec jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.publish_job_type(spec jsonb) TO writ_admin;

REVOKE ALL ON FUNCTION writ.replay(job_id bigint, force boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.replay(job_id bigint, force boolean) TO writ_admin;

REVOKE ALL ON FUNCTION writ.replay_plan(job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.replay_plan(job_id bigint) TO writ_admin;

REVOKE ALL ON FUNCTION writ.revoke_access(user_id text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.revoke_access(user_id text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) TO promise_enqueuer;

REVOKE ALL ON FUNCTION writ.revoke_access(user_id uuid, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.revoke_access(user_id uuid, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) TO promise_enqueuer;

REVOKE ALL ON FUNCTION writ.revoke_job_type(job_type text, role_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.revoke_job_type(job_type text, role_name text) TO writ_admin;

REVOKE ALL ON FUNCTION writ.rotate_api_key(job_type text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ.status(job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.status(job_id bigint) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.status(job_id bigint) TO writ_admin;
GRANT ALL ON FUNCTION writ.status(job_id bigint) TO writ_auditor;

REVOKE ALL ON FUNCTION writ_data.add_job(type text, definition_hash text, max_attempts integer, deadline interval, payload jsonb, subject text, recorded jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.add_partitions(at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.admit(ids bigint[], environment text, worker_id bigint, now timestamp with time zone, granted bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.caller() FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.change_grant(job_type text, role_name text, is_granted boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.check_definition(spec jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.checking_body(spec jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.digest(value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.enqueue_change_plan(user_id uuid, plan_id uuid, status text, current_period_end timestamp with time zone, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.enqueue_create_user(email text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.enqueue_revoke_access(user_id uuid, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.enqueue_rotate_api_key(job_type text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.field_checks(type text, input jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.field_json(input jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.field_text(input jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.form_rule(kind text, OUT rule text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.generate(spec jsonb, old_signature text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.is_portable_pattern(pattern text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.json_change_plan(_fields jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.json_create_user(_fields jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.json_revoke_access(_fields jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.json_rotate_api_key(_fields jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.lock_gates(environment text, types text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.looks_secret(value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.may_order(type text, role_name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.native_type(kind text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.ordered_inputs(inputs jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.park(ids bigint[], reason writ_data.waiting_reason, worker_id bigint, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.read_date_time(value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.read_json(value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.reading_body(spec jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.recorded(clear jsonb, digested jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.refusal(type text, field text, rule text, hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.refuse_job(rule text, hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.refuse_type(type text, rule text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.replay_obstacle(job_id bigint, OUT rule text, OUT hint text, OUT is_forcible boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.typed_call(spec jsonb, as_text boolean, OUT parameters text, OUT signature text, OUT body text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.unpark_subjects(environments text[], subjects text[], now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.unpark_type(environment text, type text, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.wake(queue text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_worker.claim(worker_id bigint, queue text, environment text, max_jobs integer, lower_bounds bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.claim(worker_id bigint, queue text, environment text, max_jobs integer, lower_bounds bigint[]) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.definition(hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.definition(hash text) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.definition_hash(type text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.definition_hash(type text) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.deregister(worker_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.deregister(worker_id bigint) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.record(worker_id bigint, entries jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.record(worker_id bigint, entries jsonb) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.register(name text, host text, pid integer, version text, lease interval) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.register(name text, host text, pid integer, version text, lease interval) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.renew(worker_id bigint, lease interval, is_idle boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.renew(worker_id bigint, lease interval, is_idle boolean) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.set_idle(worker_id bigint, is_idle boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.set_idle(worker_id bigint, is_idle boolean) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.sweep(max_jobs integer) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.sweep(max_jobs integer) TO writ_worker;

GRANT SELECT ON TABLE writ.audit_event TO writ_admin;
GRANT SELECT ON TABLE writ.audit_event TO writ_auditor;

GRANT SELECT ON TABLE writ.definition TO writ_admin;
GRANT SELECT ON TABLE writ.definition TO writ_auditor;

GRANT SELECT ON TABLE writ.environment TO writ_enqueuer;
GRANT SELECT ON TABLE writ.environment TO writ_admin;
GRANT SELECT ON TABLE writ.environment TO writ_auditor;

GRANT SELECT ON TABLE writ.job TO writ_admin;

GRANT SELECT ON TABLE writ.job_summary TO writ_admin;
GRANT SELECT ON TABLE writ.job_summary TO writ_auditor;

GRANT SELECT ON TABLE writ.job_type TO writ_enqueuer;
GRANT SELECT ON TABLE writ.job_type TO writ_admin;
GRANT SELECT ON TABLE writ.job_type TO writ_auditor;

GRANT SELECT ON TABLE writ.journal TO writ_admin;

GRANT SELECT ON TABLE writ.worker TO writ_admin;
GRANT SELECT ON TABLE writ.worker TO writ_auditor;

ALTER DEFAULT PRIVILEGES FOR ROLE writ_owner REVOKE ALL ON FUNCTIONS  FROM PUBLIC;

