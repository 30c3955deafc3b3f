-- What the migrations make, by pg_dump 15 (sql/dump-schema.sh); a test compares. Do not edit.

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
    'worker_lost',
    'user_action_requested',
    'expired',
    'schedule_fired',
    'batch_created',
    'batch_finished',
    'limit_changed',
    'schedule_refused',
    'schedule_skipped',
    'schedule_added',
    'schedule_changed',
    'schedule_removed',
    'schedule_paused',
    'schedule_resumed',
    'circuit_opened',
    'circuit_closed'
);

ALTER TYPE writ_data.audit_event_kind OWNER TO writ_owner;

CREATE TYPE writ_data.bulk_row AS (
	place integer,
	id bigint,
	payload jsonb,
	subject text,
	clear jsonb,
	digested jsonb,
	run_at timestamp with time zone,
	priority integer,
	idempotency_key text,
	expires_at timestamp with time zone
);

ALTER TYPE writ_data.bulk_row OWNER TO writ_owner;

CREATE TYPE writ_data.checked_fields AS (
	payload jsonb,
	subject text,
	clear jsonb,
	digested jsonb
);

ALTER TYPE writ_data.checked_fields OWNER TO writ_owner;

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

CREATE TYPE writ_data.place_in_line AS (
	priority integer,
	claim_order bigint,
	id bigint
);

ALTER TYPE writ_data.place_in_line OWNER TO writ_owner;

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
	unresolved boolean,
	rows jsonb
);

ALTER TYPE writ_data.record_entry OWNER TO writ_owner;

CREATE TYPE writ_data.row_fault AS (
	place integer,
	code text,
	field text,
	message text,
	hint text
);

ALTER TYPE writ_data.row_fault OWNER TO writ_owner;

CREATE TYPE writ_data.row_options AS (
	run_at timestamp with time zone,
	priority integer,
	idempotency_key text,
	expires_at timestamp with time zone
);

ALTER TYPE writ_data.row_options OWNER TO writ_owner;

CREATE DOMAIN writ_data.tally AS integer
	CONSTRAINT tally_check CHECK ((VALUE >= 0));

ALTER DOMAIN writ_data.tally OWNER TO writ_owner;

CREATE TYPE writ_data.waiting_reason AS ENUM (
    'predecessor',
    'concurrency',
    'review',
    'user_action',
    'rate',
    'batch'
);

ALTER TYPE writ_data.waiting_reason OWNER TO writ_owner;

CREATE TYPE writ_data.worker_state AS ENUM (
    'live',
    'stopped',
    'lost'
);

ALTER TYPE writ_data.worker_state OWNER TO writ_owner;

CREATE FUNCTION writ.add_schedule(type text, name text, spec jsonb) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ.add_schedule(type text, name text, spec jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ.batch_jobs(batch_id bigint, only_state text DEFAULT NULL::text, after bigint DEFAULT 0, max_jobs integer DEFAULT 1000) RETURNS TABLE(job_id bigint, state text, waiting_reason text, idempotency_key text, finished_at timestamp with time zone, error_code text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
begin
  perform writ_data.check_page('batch_jobs', 'max_jobs', $4);
  perform from writ.batch_status($1);
  return query
    select j.id, j.state, j.waiting_reason, j.idempotency_key, j.finished_at,
           case when j.state <> 'completed' then j.last_error ->> 'code' end
      from writ.job as j
     where j.batch_id = $1 and j.id > $3 and ($2 is null or j.state = $2)
     order by j.id
     limit least($4, 10000);
end
$_$;

ALTER FUNCTION writ.batch_jobs(batch_id bigint, only_state text, after bigint, max_jobs integer) OWNER TO writ_owner;

CREATE FUNCTION writ.batch_status(batch_id bigint) RETURNS TABLE(id bigint, state text, created_at timestamp with time zone, created_by text, closed_at timestamp with time zone, finished_at timestamp with time zone, jobs bigint, scheduled bigint, available bigint, running bigint, retryable bigint, waiting bigint, review bigint, completed bigint, discarded bigint, cancelled bigint, per_second numeric, done_in interval, callback_job_id bigint, callback_state text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
begin
  return query
    select d.*
      from writ_data.batch as b, lateral writ_data.describe_batch(b) as d
     where b.id = $1 and (b.created_by = writ_data.caller() or writ_data.sees_all());
  if not found then
    perform writ_data.refuse_batch(
      'there is no such batch, or another role made it',
      'A batch is shown to the role that made it, to writ_admin and to writ_auditor.'
    );
  end if;
end
$_$;

ALTER FUNCTION writ.batch_status(batch_id bigint) OWNER TO writ_owner;

CREATE FUNCTION writ.batches(max_batches integer DEFAULT 50) RETURNS TABLE(id bigint, state text, created_at timestamp with time zone, created_by text, closed_at timestamp with time zone, finished_at timestamp with time zone, jobs bigint, scheduled bigint, available bigint, running bigint, retryable bigint, waiting bigint, review bigint, completed bigint, discarded bigint, cancelled bigint, per_second numeric, done_in interval, callback_job_id bigint, callback_state text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  _caller constant text := writ_data.caller();
  _sees_all constant boolean := writ_data.sees_all();
begin
  perform writ_data.check_page('batches', 'max_batches', $1);
  return query
    select d.*
      from (
        select b.* from writ_data.batch as b
         where b.created_by = _caller or _sees_all
         order by b.id desc
         limit least($1, 1000)
      ) as b,
      lateral writ_data.describe_batch(row(b.*)::writ_data.batch) as d
     order by d.id desc;
end
$_$;

ALTER FUNCTION writ.batches(max_batches integer) OWNER TO writ_owner;

CREATE FUNCTION writ.cancel(job_id bigint, force boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ.cancel(job_id bigint, force boolean) OWNER TO writ_owner;

CREATE FUNCTION writ.check_many(type text, payloads text[], run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS TABLE(place integer, code text, field text, message text, hint text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_variable
declare
  _rows jsonb[] := writ_data.read_rows(payloads);
begin
  perform writ_data.bulk_type(type, _rows);
  perform writ_data.check_order(type, '{}', '{}', null, run_at, priority, null, expires_at);
  return query
    select f.place, f.code, f.field, f.message, f.hint
      from unnest(writ_data.check_rows(type, _rows, 1, run_at, priority, expires_at, 100)) as f
     order by f.place;
end
$$;

ALTER FUNCTION writ.check_many(type text, payloads text[], run_at timestamp with time zone, priority integer, expires_at timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ.check_now(job_id bigint) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
  _caller constant text := writ_data.caller();
  _job writ_data.job;
  _at timestamptz;
begin
  select j.*
    into _job
    from writ_data.job as j
   where j.id = $1
     and (j.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member'));
  if found and _job.waiting_reason = 'user_action' then
    select j.*
      into _job
      from writ_data.job as j
     where j.id = $1 and j.state::text = 'waiting' and j.waiting_reason = 'user_action'
       for update;
    if not found then
      -- It goes on at this moment.
      return _now;
    end if;
  elsif _job.id is null then
    perform writ_data.refuse_job(
      'there is no such unfinished job, or another role ordered it',
      'A job is looked at again for the role that ordered it, and for writ_admin.'
    );
  elsif _job.action_url is not null and _job.state in ('available', 'running') then
    return _now;
  elsif _job.waiting_reason is distinct from 'user_action' then
    perform writ_data.refuse_job(
      format('job %s does not wait for a user: it is %s', $1, _job.state),
      'writ.status tells what it waits for.'
    );
  end if;
  _at := greatest(_now, _job.waiting_since + interval '2 seconds');
  if _at > _now then
    update writ_data.job as j set run_at = least(j.run_at, _at) where j.id = $1;
    return least(_job.run_at, _at);
  end if;
  update writ_data.job as j
     set state = 'available', claim_order = -nextval('writ_data.claim_order'),
         waiting_reason = null, waiting_since = null, run_at = _now
   where j.id = $1;
  insert into writ_data.audit_event (
    occurred_at, event, job_id, attempt, type, environment, from_state, to_state, waiting_reason,
    role_name, actor, subject_digest
  )
  values (
    _now, 'promoted', $1, _job.attempt, _job.type, _job.environment, 'waiting', 'available',
    'user_action', _caller, writ_data.actor(), _job.subject_digest
  );
  perform writ_data.wake(_job.queue);
  return _now;
end
$_$;

ALTER FUNCTION writ.check_now(job_id bigint) OWNER TO writ_owner;

CREATE FUNCTION writ.clear_limit(type text DEFAULT NULL::text, environment text DEFAULT NULL::text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
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

ALTER FUNCTION writ.clear_limit(type text, environment text) OWNER TO writ_owner;

CREATE FUNCTION writ.close_batch(batch_id bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  _batch writ_data.batch;
begin
  select b.* into _batch
    from writ_data.batch as b
   where b.id = $1 and b.created_by = writ_data.caller();
  if not found then
    perform writ_data.refuse_batch(
      'there is no such batch, or another role made it', 'writ.create_batch makes one.'
    );
  elsif _batch.closed_at is not null then
    return false;
  end if;
  -- Against `for key share` of those who join; an update alone would not wait for them.
  perform from writ_data.batch as b where b.id = $1 for update;
  update writ_data.batch as b
     set closed_at = clock_timestamp()
   where b.id = $1 and b.closed_at is null;
  return found;
end
$_$;

ALTER FUNCTION writ.close_batch(batch_id bigint) OWNER TO writ_owner;

CREATE FUNCTION writ.close_circuit(target text, environment text DEFAULT NULL::text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  _environment constant text := (
    select e.name
      from writ_data.environment as e
     where case when $2 is null then e.is_default else e.name = $2 end
  );
begin
  if _environment is null then
    raise exception using
      errcode = 'WR004', column = 'environment', message = 'circuit: environment is not known',
      hint = 'The view writ.environment lists the environments.';
  end if;
  return writ_data.remove_circuit(
    _environment, $1, null, writ_data.caller(), writ_data.actor()
  );
end
$_$;

ALTER FUNCTION writ.close_circuit(target text, environment text) OWNER TO writ_owner;

CREATE FUNCTION writ.create_batch(callback_type text DEFAULT NULL::text, callback_payload text DEFAULT NULL::text, callback_environment text DEFAULT NULL::text, callback_queue text DEFAULT NULL::text, callback_priority integer DEFAULT NULL::integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_variable
declare
  _payload jsonb := writ_data.read_json(callback_payload);
  _words record;
  _id bigint;
  _job writ_data.job;
  _now timestamptz;
  _deadline interval;
begin
  if callback_type is null then
    if callback_payload is not null then
      raise exception using
        errcode = 'WR003', column = 'callback_type',
        message = 'create_batch: callback_type is required with a callback_payload',
        hint = 'Name the type of the job that is to run when the batch is finished.';
    end if;
    return writ_data.open_batch();
  end if;
  perform writ_data.check_type(callback_type);
  if _payload is null or jsonb_typeof(_payload) <> 'object' then
    raise exception using
      errcode = 'WR001', column = 'callback_payload',
      message = callback_type || ': callback_payload must be a JSON object',
      hint = 'Its members are the fields of the job type; the view writ.job_type lists them.';
  end if;
  _id := writ_data.open_batch(callback_type);
  _words := writ_data.callback_payload(callback_type, _payload, _id);
  _job.id := writ.enqueue(
    callback_type, _words.filled, environment => callback_environment, queue => callback_queue,
    priority => callback_priority
  );
  _now := clock_timestamp();
  select j.deadline_at - j.run_at into _deadline from writ_data.job as j where j.id = _job.id;
  -- Nobody has seen it as available: it is of this transaction. Its time begins with the release.
  update writ_data.job as j
     set state = 'waiting', waiting_reason = 'batch', waiting_since = _now, claim_order = null,
         deadline_at = null
   where j.id = _job.id
  returning j.* into strict _job;
  update writ_data.batch as b
     set callback_job_id = _job.id, callback_counts = _words.counts,
         callback_deadline = _deadline
   where b.id = _id;
  insert into writ_data.audit_event (
    occurred_at, event, job_id, attempt, type, environment, from_state, to_state, waiting_reason,
    role_name, actor, subject_digest, recorded
  )
  values (
    _now, 'parked', _job.id, 0, _job.type, _job.environment, 'available', 'waiting', 'batch',
    writ_data.caller(), _job.actor, _job.subject_digest, jsonb_build_object('batch_id', _id)
  );
  return _id;
end
$$;

ALTER FUNCTION writ.create_batch(callback_type text, callback_payload text, callback_environment text, callback_queue text, callback_priority integer) OWNER TO writ_owner;

CREATE FUNCTION writ.create_environment(name text, is_default boolean DEFAULT false) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $_$
#variable_conflict use_column
declare
  _added boolean;
  _is_changed boolean := false;
begin
  if $1 is null or $1 !~ '^[a-z][a-z0-9_-]{0,62}$' or writ_data.looks_secret($1) then
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
    perform writ_data.make_gates();
    insert into writ_data.audit_event (occurred_at, event, environment, role_name, actor)
    values (
      clock_timestamp(), 'environment_created', $1, writ_data.caller(),
      writ_data.actor()
    );
  end if;
  if _added and $2 or _is_changed then
    insert into writ_data.audit_event (occurred_at, event, environment, role_name, actor)
    values (
      clock_timestamp(), 'default_environment_changed', $1, writ_data.caller(),
      writ_data.actor()
    );
  end if;
  return _added;
end
$_$;

ALTER FUNCTION writ.create_environment(name text, is_default boolean) OWNER TO writ_owner;

CREATE FUNCTION writ.digest(value text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return 'hmac-sha256:' || encode(writ_data.digest(value), 'hex');
end
$$;

ALTER FUNCTION writ.digest(value text) OWNER TO writ_owner;

CREATE FUNCTION writ.enqueue(type text, payload jsonb, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, idempotency_key text DEFAULT NULL::text, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_variable
declare
  _id bigint;
begin
  perform writ_data.check_type(type);
  if payload is null or jsonb_typeof(payload) <> 'object' then
    raise exception using
      errcode = 'WR001', column = 'payload', message = type || ': payload must be a JSON object',
      hint = 'Its members are the fields of the job type; the view writ.job_type lists them.';
  end if;
  execute format('select writ_data.%I($1, $2, $3, $4, $5, $6, $7, $8)', 'json_' || type)
     into _id
    using payload, run_at, priority, idempotency_key, environment, queue, traceparent, expires_at;
  return _id;
end
$_$;

ALTER FUNCTION writ.enqueue(type text, payload jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text, expires_at timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ.enqueue(type text, payload text, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, idempotency_key text DEFAULT NULL::text, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return writ.enqueue(
    type, writ_data.read_json(payload), run_at, priority, idempotency_key, environment, queue,
    traceparent, expires_at
  );
end
$$;

ALTER FUNCTION writ.enqueue(type text, payload text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text, expires_at timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ.enqueue_many(type text, payloads text[], batch_id bigint DEFAULT NULL::bigint, closes_batch boolean DEFAULT false, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text, OUT batch bigint, OUT jobs integer, OUT known integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
  select m.* into batch, jobs, known
    from writ_data.add_many(
           type, writ_data.read_rows(payloads), batch_id, closes_batch, run_at, priority,
           expires_at, environment, queue, traceparent
         ) as m;
end
$$;

ALTER FUNCTION writ.enqueue_many(type text, payloads text[], batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) OWNER TO writ_owner;

CREATE FUNCTION writ.enqueue_many(type text, payloads jsonb, batch_id bigint DEFAULT NULL::bigint, closes_batch boolean DEFAULT false, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text, OUT batch bigint, OUT jobs integer, OUT known integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
  select m.* into batch, jobs, known
    from writ_data.add_many(
           type, writ_data.read_rows(payloads), batch_id, closes_batch, run_at, priority,
           expires_at, environment, queue, traceparent
         ) as m;
end
$$;

ALTER FUNCTION writ.enqueue_many(type text, payloads jsonb, batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) OWNER TO writ_owner;

CREATE FUNCTION writ.enqueue_many(type text, payloads text, batch_id bigint DEFAULT NULL::bigint, closes_batch boolean DEFAULT false, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, priority integer DEFAULT NULL::integer, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, environment text DEFAULT NULL::text, queue text DEFAULT NULL::text, traceparent text DEFAULT NULL::text, OUT batch bigint, OUT jobs integer, OUT known integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
begin
  select m.* into batch, jobs, known
    from writ_data.add_many(
           type, writ_data.read_rows(writ_data.read_json(payloads)), batch_id, closes_batch,
           run_at, priority, expires_at, environment, queue, traceparent
         ) as m;
end
$$;

ALTER FUNCTION writ.enqueue_many(type text, payloads text, batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) OWNER TO writ_owner;

CREATE FUNCTION writ.grant_job_type(job_type text, role_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform writ_data.change_grant(job_type, role_name, true);
end
$$;

ALTER FUNCTION writ.grant_job_type(job_type text, role_name text) OWNER TO writ_owner;

CREATE FUNCTION writ.job_rows(job_id bigint, after bigint DEFAULT 0, at_most bigint DEFAULT NULL::bigint) RETURNS TABLE(place bigint, data jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  _caller constant text := writ_data.caller();
begin
  perform writ_data.check_page('job_rows', 'at_most', $3);
  if not exists (
    select from writ_data.job as j
     where j.id = $1 and (j.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member'))
    union all
    select from writ_data.job_history as h
     where h.id = $1 and (h.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member'))
  ) then
    perform writ_data.refuse_job(
      'there is no such job, or another role ordered it',
      'The rows of a job are shown to the role that ordered it and to writ_admin.'
    );
  end if;
  return query
    select r.place, r.data
      from (
        select row_number() over (order by o.seq, o.place) as place, o.data::jsonb as data
          from writ_data.job_row as o
         where o.job_id = $1
      ) as r
     where r.place > coalesce($2, 0)
     order by r.place
     limit $3;
end
$_$;

ALTER FUNCTION writ.job_rows(job_id bigint, after bigint, at_most bigint) OWNER TO writ_owner;

CREATE FUNCTION writ.job_workers(job_id bigint) RETURNS TABLE(environment text, queue text, workers integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  _caller constant text := writ_data.caller();
begin
  return query
    select j.environment, j.queue,
           (
             select count(*)::int
               from writ_data.worker as w
              where w.state = 'live' and w.lease_expires_at > clock_timestamp()
                and (w.environments is null or j.environment = any (w.environments))
           )
      from writ_data.job as j
     where j.id = $1
       and (
         j.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member')
         or pg_has_role(_caller, 'writ_auditor', 'member')
       );
end
$_$;

ALTER FUNCTION writ.job_workers(job_id bigint) OWNER TO writ_owner;

CREATE FUNCTION writ.pause_schedule(name text, environment text DEFAULT NULL::text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ.pause_schedule(name text, environment text) OWNER TO writ_owner;

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
                  and earlier.waiting_reason is distinct from 'batch'
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
    SET jit TO 'off'
    AS $$
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

ALTER FUNCTION writ.publish_job_type(spec jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ.remove_schedule(name text, environment text DEFAULT NULL::text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ.remove_schedule(name text, environment text) OWNER TO writ_owner;

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
$_$;

ALTER FUNCTION writ.replay_plan(job_id bigint) OWNER TO writ_owner;

CREATE FUNCTION writ.resume_schedule(name text, environment text DEFAULT NULL::text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION writ.resume_schedule(name text, environment text) OWNER TO writ_owner;

CREATE FUNCTION writ.revoke_job_type(job_type text, role_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform writ_data.change_grant(job_type, role_name, false);
end
$$;

ALTER FUNCTION writ.revoke_job_type(job_type text, role_name text) OWNER TO writ_owner;

CREATE FUNCTION writ.schedule_obstacles() RETURNS TABLE(name text, environment text, code text, reason text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

ALTER FUNCTION writ.schedule_obstacles() OWNER TO writ_owner;

CREATE FUNCTION writ.set_limit(type text DEFAULT NULL::text, environment text DEFAULT NULL::text, concurrency integer DEFAULT NULL::integer, rate integer DEFAULT NULL::integer, per interval DEFAULT NULL::interval) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
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

ALTER FUNCTION writ.set_limit(type text, environment text, concurrency integer, rate integer, per interval) OWNER TO writ_owner;

CREATE FUNCTION writ.status(job_id bigint) RETURNS TABLE(id bigint, type text, state text, waiting_reason text, attempt integer, enqueued_at timestamp with time zone, run_at timestamp with time zone, finished_at timestamp with time zone, error_code text, result jsonb, action_url text, action_deadline_at timestamp with time zone)
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
           null::timestamptz, j.last_error ->> 'code', null::jsonb,
           case
             when j.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member')
             then j.action_url
           end,
           j.action_deadline_at
      from writ_data.job as j
     where j.id = $1
       and (
         j.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member')
         or pg_has_role(_caller, 'writ_auditor', 'member')
       )
    union all
    select h.id, h.type, h.state::text, null, h.attempt, h.enqueued_at, h.run_at, h.finished_at,
           case when h.state <> 'completed' then h.last_error ->> 'code' end, h.result, null, null
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

CREATE FUNCTION writ_data.actor() RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
declare
  _actor constant text := nullif(current_setting('writ.actor', true), '');
begin
  if length(_actor) > 200 or writ_data.looks_secret(_actor) then
    raise exception using
      errcode = 'WR003', column = 'actor',
      message = 'the setting writ.actor must name a person in at most 200 characters',
      hint = 'Set it with: set local writ.actor = ''…''; it is recorded in the audit trail.';
  end if;
  return _actor;
end
$$;

ALTER FUNCTION writ_data.actor() OWNER TO writ_owner;

CREATE FUNCTION writ_data.add_job(type text, definition_hash text, max_attempts integer, deadline interval, key_window interval, payload jsonb, subject text, recorded jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text, expires_at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_variable
declare
  _now timestamptz := clock_timestamp();
  _text text := payload::text;
  _environment text;
  _caller text := writ_data.caller();
  _actor text := nullif(current_setting('writ.actor', true), '');
  _known_id bigint;
  _id bigint;
  _order bigint;
  _state writ_data.job_state;
  _subject_digest bytea := writ_data.digest(subject);
  _transaction xid8;
begin
  perform writ_data.check_order(
    type, payload, _text, subject, run_at, priority, idempotency_key, expires_at
  );
  _environment := writ_data.check_call(type, environment, queue, traceparent);
  priority := coalesce(priority, 5);
  queue := coalesce(queue, 'default');

  _id := nextval('writ_data.job_id');
  if idempotency_key is not null then
    _known_id := writ_data.key_job(
      _caller, _environment, type, idempotency_key, _id, sha256(convert_to(_text, 'UTF8')), _now,
      _now + key_window
    );
    if _known_id <> _id then
      return _known_id;
    end if;
  end if;
  -- Not before the key: who asks again for a job that he has ordered gets its number at any time.
  perform writ_data.check_expiry(type, expires_at, run_at, _now);

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
    _id, _order, run_at, _now, coalesce(expires_at, run_at + deadline), max_attempts, _state,
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
$$;

ALTER FUNCTION writ_data.add_job(type text, definition_hash text, max_attempts integer, deadline interval, key_window interval, payload jsonb, subject text, recorded jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text, expires_at timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.add_many(type text, row_values jsonb[], batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) RETURNS record
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_variable
declare
  _slice constant int := 10000;
  _type writ_data.job_type := writ_data.bulk_type(type, row_values);
  _environment text := writ_data.check_call(type, environment, queue, traceparent);
  _first int := 1;
begin
  perform writ_data.check_order(
    type, '{}', '{}', null, run_at, priority, null, expires_at
  );
  if batch_id is null then
    batch := writ_data.open_batch();
    closes_batch := true;
  else
    batch := batch_id;
    perform writ_data.join_batch(batch, coalesce(closes_batch, false));
  end if;
  jobs := 0;
  while _first <= cardinality(row_values)
  loop
    jobs := jobs + writ_data.add_rows(
      _type, row_values[_first:_first + _slice - 1], _first, batch, run_at, priority, expires_at,
      _environment, coalesce(queue, 'default'), traceparent
    );
    _first := _first + _slice;
  end loop;
  known := cardinality(row_values) - jobs;
  if closes_batch then
    perform writ.close_batch(batch);
  end if;
  if jobs > 0 then
    perform writ_data.wake(coalesce(queue, 'default'));
  end if;
end
$$;

ALTER FUNCTION writ_data.add_many(type text, row_values jsonb[], batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) OWNER TO writ_owner;

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
    rate_limit integer,
    rate_period interval,
    key_window interval DEFAULT '720:00:00'::interval NOT NULL,
    targets text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT job_type_concurrency_check CHECK (((concurrency >= 1) AND (concurrency <= 100000))),
    CONSTRAINT job_type_deadline_check CHECK ((deadline > '00:00:00'::interval)),
    CONSTRAINT job_type_inputs_check CHECK ((jsonb_typeof(inputs) = 'array'::text)),
    CONSTRAINT job_type_key_window_check CHECK ((key_window > '00:00:00'::interval)),
    CONSTRAINT job_type_max_attempts_check CHECK (((max_attempts >= 1) AND (max_attempts <= 1000))),
    CONSTRAINT job_type_name_check CHECK ((name ~ '^[a-z][a-z0-9_]{0,47}$'::text)),
    CONSTRAINT job_type_rate_has_period CHECK (((rate_limit IS NULL) = (rate_period IS NULL))),
    CONSTRAINT job_type_rate_limit_check CHECK (((rate_limit >= 1) AND (rate_limit <= 100000))),
    CONSTRAINT job_type_rate_period_check CHECK (((rate_period >= '00:00:00.001'::interval) AND (rate_period <= '31 days'::interval))),
    CONSTRAINT job_type_replay_check CHECK ((replay = ANY (ARRAY['safe'::text, 'review'::text, 'never'::text]))),
    CONSTRAINT job_type_subject_check CHECK ((jsonb_typeof(subject) = 'array'::text))
);

ALTER TABLE writ_data.job_type OWNER TO writ_owner;

COMMENT ON TABLE writ_data.job_type IS 'The types that can be ordered now, each with its current definition.';

CREATE FUNCTION writ_data.add_rows(type writ_data.job_type, row_values jsonb[], first_place integer, batch_id bigint, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text) RETURNS integer
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_column
declare
  _max_faults constant int := 100;
  _now constant timestamptz := clock_timestamp();
  _caller constant text := writ_data.caller();
  _actor constant text := writ_data.actor();
  _type constant text := (type).name;
  _rows writ_data.bulk_row[];
  _row writ_data.bulk_row;
  _faults writ_data.row_fault[];
  _taken bigint[];
  _known bigint[] := '{}';
  _known_id bigint;
  _is_suspect boolean;
  _transaction xid8;
  _count int;
  _message text;
  _hint text;
begin
  -- All rows at once; a wrong one ends the statement, and then they are read one by one, to say
  -- which. The numbers of the jobs are drawn in the order of the rows.
  begin
    execute format(
      'select array_agg(
                (
                  r.place, r.id, (r.checked).payload, (r.checked).subject, (r.checked).clear,
                  (r.checked).digested, (r.options).run_at, (r.options).priority,
                  (r.options).idempotency_key, (r.options).expires_at
                )::writ_data.bulk_row order by r.place
              ),
              bool_or(r.value is null)
         from (
           select v.place::int + $3 - 1 as place, v.value, nextval(''writ_data.job_id'') as id,
                  writ_data.%I(v.value - $2) as checked,
                  case
                    when v.value ?| $2
                    then writ_data.read_row_options($4, v.value, $5, $6, $7)
                    else $8
                  end as options
             from unnest($1) with ordinality as v (value, place)
           offset 0
         ) as r',
      'object_' || _type
    )
      into _rows, _is_suspect
      using $2, writ_data.row_option_names(), $3, _type, $5, $6, $7,
            ($5, $6, null, $7)::writ_data.row_options;
    -- What check_order looks at, set by set: texts of a hundred rows are searched for secrets at
    -- once. Whatever looks wrong here is judged by check_order itself.
    _is_suspect := _is_suspect or (
      select bool_or(
               octet_length(r.payload::text) > 65536 or length(r.subject) > 400
               or r.priority not between 0 and 9
               or r.run_at = '-infinity' or r.run_at >= '10000-01-01T00:00:00Z'
               or r.expires_at = '-infinity' or r.expires_at >= '10000-01-01T00:00:00Z'
               or length(r.idempotency_key) not between 1 and 200
               or r.idempotency_key ~ '[[:cntrl:]]'
               or (r.idempotency_key is null and r.expires_at <= greatest(_now, r.run_at))
             )
        from unnest(_rows) as r
    ) is true or exists (
      select
        from (
          select string_agg(concat_ws(E'\n', r.payload::text, r.idempotency_key), E'\n') as texts
            from unnest(_rows) as r
           group by r.place / 100
        ) as block
       where writ_data.looks_secret(block.texts)
    );
  exception
    when data_exception or program_limit_exceeded then _is_suspect := true;
    when sqlstate 'WR001' or sqlstate 'WR003' then _is_suspect := true;
  end;
  if _is_suspect then
    _faults := writ_data.check_rows(_type, $2, $3, $5, $6, $7, _max_faults);
    if _faults <> '{}' then
      perform writ_data.refuse_rows(_type, _faults, _max_faults);
    elsif _rows is null then
      raise exception using
        errcode = 'XX000', message = _type || ': rows were refused together and accepted one by one';
    end if;
  end if;

  begin
    -- Keys that nobody has used, all at once; the others are a matter of key_job.
    with fresh as (
      select distinct on (r.idempotency_key) r.idempotency_key, r.id, r.payload
        from unnest(_rows) as r
       where r.idempotency_key is not null
         and not exists (
               select
                 from writ_data.earlier_idempotency_key as e
                where e.environment = $8 and e.type = _type and e.key = r.idempotency_key
             )
       order by r.idempotency_key, r.place
    ), taken as (
      insert into writ_data.idempotency_key as k (
        ordered_by, environment, type, key, job_id, taken_at, free_at, payload_digest
      )
      select _caller, $8, _type, f.idempotency_key, f.id, _now, _now + (type).key_window,
             sha256(convert_to(f.payload::text, 'UTF8'))
        from fresh as f
       order by f.idempotency_key
      on conflict do nothing
      returning k.job_id
    )
    select coalesce(array_agg(t.job_id), '{}') into _taken from taken as t;
    for _row in
      select r.* from unnest(_rows) as r
       where r.idempotency_key is not null
         and not exists (select from unnest(_taken) as t (id) where t.id = r.id)
       order by r.idempotency_key, r.place
    loop
      _known_id := writ_data.key_job(
        _caller, $8, _type, _row.idempotency_key, _row.id,
        sha256(convert_to(_row.payload::text, 'UTF8')), _now, _now + (type).key_window
      );
      if _known_id <> _row.id then
        _known := _known || _row.id;
      end if;
    end loop;
    if exists (
      select from unnest(_rows) as r where r.expires_at <= greatest(_now, r.run_at)
    ) then
      for _row in
        select r.* from unnest(_rows) as r
         where r.idempotency_key is not null
           and not exists (select from unnest(_known) as k (id) where k.id = r.id)
         order by r.place
      loop
        perform writ_data.check_expiry(_type, _row.expires_at, _row.run_at, _now);
      end loop;
    end if;
  exception
    when sqlstate 'WR003' or sqlstate 'WR006' then
      get stacked diagnostics _message = message_text, _hint = pg_exception_hint;
      perform writ_data.refuse_rows(
        _type,
        array[
          (
            _row.place, sqlstate,
            case sqlstate when 'WR006' then 'idempotency_key' else 'expires_at' end,
            _message, _hint
          )::writ_data.row_fault
        ],
        _max_faults
      );
  end;

  -- The transaction id before the place in the line: add_job says why.
  _transaction := pg_current_xact_id();
  with fresh as materialized (
    select r.*, coalesce(r.run_at > _now, false) as is_later,
           sha256(k.outer_block || sha256(k.inner_block || convert_to(r.subject, 'UTF8')))
             as subject_digest,
           -- writ_data.recorded, with the key of the digests read once.
           case
             when r.digested is null or r.digested = '{}' then nullif(r.clear, '{}')
             else coalesce(r.clear, '{}') || (
               select jsonb_object_agg(
                        d.key,
                        'hmac-sha256:' || encode(
                          sha256(
                            k.outer_block
                              || sha256(k.inner_block || convert_to(d.value, 'UTF8'))
                          ),
                          'hex'
                        )
                      )
                 from jsonb_each_text(r.digested) as d
             )
           end as recorded
      from unnest(_rows) as r, writ_data.digest_key as k
     where not exists (select from unnest(_known) as n (id) where n.id = r.id)
     order by r.place
  ), event as (
    insert into writ_data.audit_event (
      occurred_at, job_id, to_state, event, type, environment, role_name, actor, definition_hash,
      subject_digest, recorded
    )
    select _now, f.id, case when f.is_later then 'scheduled' else 'available' end::writ_data.job_state,
           'enqueued', _type, $8, _caller, _actor, (type).definition_hash, f.subject_digest,
           f.recorded
      from fresh as f
  )
  insert into writ_data.job (
    id, claim_order, run_at, enqueued_at, deadline_at, max_attempts, state, priority, type,
    environment, queue, definition_hash, subject, subject_digest, enqueued_by, actor,
    idempotency_key, traceparent, payload, batch_id
  )
  select f.id, case when not f.is_later then nextval('writ_data.claim_order') end,
         case when f.is_later then f.run_at else _now end, _now,
         coalesce(
           f.expires_at, case when f.is_later then f.run_at else _now end + (type).deadline
         ),
         (type).max_attempts,
         case when f.is_later then 'scheduled' else 'available' end::writ_data.job_state,
         coalesce(f.priority, 5), _type, $8, $9, (type).definition_hash, f.subject,
         f.subject_digest, _caller, _actor, f.idempotency_key, $10, f.payload, $4
    from fresh as f;
  get diagnostics _count = row_count;
  return _count;
end
$_$;

ALTER FUNCTION writ_data.add_rows(type writ_data.job_type, row_values jsonb[], first_place integer, batch_id bigint, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.key_window(spec jsonb) RETURNS interval
    LANGUAGE sql IMMUTABLE
    RETURN COALESCE(make_interval(secs => ((spec ->> 'key_window_seconds'::text))::double precision), '720:00:00'::interval);

ALTER FUNCTION writ_data.key_window(spec jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.adding_call(spec jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN format('  return writ_data.add_job(
    %L, %L, %s, %s, %L::interval, _checked.payload,
    _checked.subject, writ_data.recorded(_checked.clear, _checked.digested), run_at, priority,
    idempotency_key, environment, queue, traceparent, expires_at
  );
'::text, (spec ->> 'name'::text), (spec ->> 'hash'::text), ((spec ->> 'max_attempts'::text))::integer, COALESCE((quote_literal(make_interval(secs => ((spec ->> 'deadline_seconds'::text))::double precision)) || '::interval'::text), 'null'::text), writ_data.key_window(spec));

ALTER FUNCTION writ_data.adding_call(spec jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.admit_limits(ids bigint[], environment text, types text[], worker_id bigint, now timestamp with time zone, granted bigint[]) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.admit_limits(ids bigint[], environment text, types text[], worker_id bigint, now timestamp with time zone, granted bigint[]) OWNER TO writ_owner;

CREATE FUNCTION writ_data.admit_subjects(INOUT ids bigint[], environment text, worker_id bigint, now timestamp with time zone, OUT started bigint[], OUT blocked bigint[]) RETURNS record
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.admit_subjects(INOUT ids bigint[], environment text, worker_id bigint, now timestamp with time zone, OUT started bigint[], OUT blocked bigint[]) OWNER TO writ_owner;

CREATE FUNCTION writ_data.bulk_type(type text, row_values jsonb[]) RETURNS writ_data.job_type
    LANGUAGE plpgsql STABLE
    AS $_$
#variable_conflict use_column
declare
  _type writ_data.job_type;
begin
  perform writ_data.check_type($1);
  if row_values is null then
    raise exception using
      errcode = 'WR001', column = 'payloads', message = $1 || ': payloads must be a list of objects',
      hint = 'Pass a JSON array with one object a job.';
  elsif cardinality(row_values) > 100000 then
    raise exception using
      errcode = 'WR001', column = 'payloads',
      message = $1 || ': payloads must have at most 100000 rows',
      hint = 'Call it several times with the same batch, in one transaction.';
  end if;
  select t.* into strict _type from writ_data.job_type as t where t.name = $1;
  return _type;
end
$_$;

ALTER FUNCTION writ_data.bulk_type(type text, row_values jsonb[]) OWNER TO writ_owner;

CREATE FUNCTION writ_data.burst(rate_limit integer) RETURNS integer
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (rate_limit IS NOT NULL) THEN GREATEST(((rate_limit + 9) / 10), LEAST(rate_limit, 2)) ELSE NULL::integer END;

ALTER FUNCTION writ_data.burst(rate_limit integer) OWNER TO writ_owner;

CREATE FUNCTION writ_data.callback_payload(type text, payload jsonb, batch_id bigint, OUT filled jsonb, OUT counts jsonb) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $_$
#variable_conflict use_variable
declare
  _type writ_data.job_type;
  _field record;
  _input jsonb;
  _word text;
begin
  select t.* into _type from writ_data.job_type as t where t.name = type;
  filled := payload;
  counts := '{}';
  for _field in
    select e.key, e.value #>> '{}' as word
      from jsonb_each(payload) as e
     where jsonb_typeof(e.value) = 'string' and e.value #>> '{}' ~ '^[$]batch[.]'
  loop
    _word := substr(_field.word, 8);
    select i into _input
      from jsonb_array_elements(_type.inputs) as i
     where i ->> 'name' = _field.key;
    -- A field that the type does not have is refused with the rest of the payload.
    continue when not found;
    if _word = 'id' then
      filled := filled || jsonb_build_object(
        _field.key,
        case when _input ->> 'kind' = 'string' then to_jsonb(batch_id::text)
          else to_jsonb(batch_id) end
      );
    elsif _word not in ('jobs', 'completed', 'discarded', 'cancelled') then
      raise exception using
        errcode = 'WR003', column = _field.key,
        message = type || ': ' || _field.key || ' must not begin with $batch. in a callback',
        hint = 'Except for $batch.id, $batch.jobs, $batch.completed, $batch.discarded and'
          ' $batch.cancelled.';
    elsif _input ->> 'kind' <> 'integer' or _input ? 'maximum' or _input ? 'enum'
      or coalesce((_input ->> 'minimum')::numeric, 0) > 0
      or exists (
        select from jsonb_array_elements(_type.subject) as part where part ->> 'input' = _field.key
      )
    then
      raise exception using
        errcode = 'WR003', column = _field.key,
        message = type || ': ' || _field.key || ' cannot take a count of the batch',
        hint = 'A count goes into an integer field that may be 0, has no maximum, and is no part of'
          ' the subject.';
    else
      filled := filled || jsonb_build_object(_field.key, 0);
      counts := counts || jsonb_build_object(_field.key, _word);
    end if;
  end loop;
end
$_$;

ALTER FUNCTION writ_data.callback_payload(type text, payload jsonb, batch_id bigint, OUT filled jsonb, OUT counts jsonb) OWNER TO writ_owner;

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
    writ_data.caller(), writ_data.actor(),
    jsonb_build_object('grantee', role_name)
  );
end
$$;

ALTER FUNCTION writ_data.change_grant(job_type text, role_name text, is_granted boolean) OWNER TO writ_owner;

CREATE TABLE writ_data.schedule (
    id bigint NOT NULL,
    next_fire_at timestamp with time zone,
    last_fire_at timestamp with time zone,
    last_job_id bigint,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    priority smallint,
    is_published boolean NOT NULL,
    is_paused boolean DEFAULT false NOT NULL,
    is_last_day boolean NOT NULL,
    matches_either_day boolean NOT NULL,
    missed text NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    environment text,
    queue text,
    cron text NOT NULL,
    time_zone text NOT NULL,
    minutes integer[] NOT NULL,
    hours integer[] NOT NULL,
    days integer[] NOT NULL,
    months integer[] NOT NULL,
    weekdays integer[] NOT NULL,
    created_by text NOT NULL,
    inputs jsonb NOT NULL,
    last_error jsonb,
    CONSTRAINT schedule_cron_check CHECK ((length(cron) <= 1000)),
    CONSTRAINT schedule_fields CHECK (((cardinality(minutes) > 0) AND (0 <= ALL (minutes)) AND (59 >= ALL (minutes)) AND (cardinality(hours) > 0) AND (0 <= ALL (hours)) AND (23 >= ALL (hours)) AND ((cardinality(days) > 0) OR is_last_day) AND (1 <= ALL (days)) AND (31 >= ALL (days)) AND (cardinality(months) > 0) AND (1 <= ALL (months)) AND (12 >= ALL (months)) AND (cardinality(weekdays) > 0) AND (0 <= ALL (weekdays)) AND (6 >= ALL (weekdays)))),
    CONSTRAINT schedule_inputs_check CHECK ((jsonb_typeof(inputs) = 'object'::text)),
    CONSTRAINT schedule_missed_check CHECK ((missed = ANY (ARRAY['once'::text, 'skip'::text]))),
    CONSTRAINT schedule_name_check CHECK (((length(name) >= 1) AND (length(name) <= 130))),
    CONSTRAINT schedule_paused_does_not_fire CHECK (((NOT is_paused) OR (next_fire_at IS NULL))),
    CONSTRAINT schedule_priority_check CHECK (((priority >= 0) AND (priority <= 9)))
);

ALTER TABLE writ_data.schedule OWNER TO writ_owner;

COMMENT ON TABLE writ_data.schedule IS 'When which jobs are ordered by the clock; one row a schedule and environment.';

COMMENT ON COLUMN writ_data.schedule.next_fire_at IS 'Null: paused, or its time zone is gone.';

COMMENT ON COLUMN writ_data.schedule.is_published IS 'Came with its job type, and goes with it.';

COMMENT ON COLUMN writ_data.schedule.environment IS 'Null: the default one when it fires.';

COMMENT ON COLUMN writ_data.schedule.last_error IS 'Why the last firing ordered no job.';

CREATE FUNCTION writ_data.change_schedule(old writ_data.schedule, new writ_data.schedule, now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.change_schedule(old writ_data.schedule, new writ_data.schedule, now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.check_call(type text, environment text, queue text, traceparent text) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $_$
#variable_conflict use_variable
declare
  _actor text := nullif(current_setting('writ.actor', true), '');
  _environment text;
begin
  if queue !~ '^[a-z][a-z0-9_-]{0,62}$' or writ_data.looks_secret(queue) then
    raise exception using
      errcode = 'WR003', column = 'queue', message = type || ': queue must be the name of a queue',
      hint = 'A lower-case letter, then at most 62 lower-case letters, digits, _ or -.';
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
  return _environment;
end
$_$;

ALTER FUNCTION writ_data.check_call(type text, environment text, queue text, traceparent text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.check_definition(spec jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $_$
declare
  type text := spec ->> 'name';
  input jsonb;
  part jsonb;
  names text[] := '{}';
  options constant text[] := array[
    'run_at', 'priority', 'idempotency_key', 'environment', 'queue', 'traceparent', 'expires_at'
  ];
begin
  if type is null or type !~ '^[a-z][a-z0-9_]{0,47}$' or writ_data.looks_secret(type) then
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
    elsif input ? 'json_type'
      and (input ->> 'kind' <> 'json' or coalesce(input ->> 'json_type', '') not in ('object', 'array'))
    then
      perform writ_data.refuse_type(
        type, 'the json_type of ' || (input ->> 'name') || ' must be object or array, of kind json'
      );
    elsif not writ_data.is_portable_pattern(
      coalesce(input ->> 'expression', input ->> 'pattern', '')
    ) then
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

CREATE FUNCTION writ_data.check_expiry(type text, expires_at timestamp with time zone, run_at timestamp with time zone, now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_variable
begin
  if expires_at <= greatest(now, run_at) then
    raise exception using
      errcode = 'WR003', column = 'expires_at',
      message = type || case
        when expires_at <= now then ': expires_at must be in the future'
        else ': expires_at must be later than run_at'
      end,
      hint = 'A job that has changed nothing by then is not carried out any more.';
  end if;
end
$$;

ALTER FUNCTION writ_data.check_expiry(type text, expires_at timestamp with time zone, run_at timestamp with time zone, now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.check_order(type text, payload jsonb, _text text, subject text, run_at timestamp with time zone, priority integer, idempotency_key text, expires_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_variable
declare
  _field text;
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
  if priority not between 0 and 9 then
    raise exception using
      errcode = 'WR003', column = 'priority', message = type || ': priority must be from 0 to 9',
      hint = '0 goes first, 9 last; without the option it is 5.';
  end if;
  if run_at = '-infinity' or run_at >= '10000-01-01T00:00:00Z' then
    raise exception using
      errcode = 'WR003', column = 'run_at',
      message = type || ': run_at must be a finite time before the year 10000',
      hint = 'Leave it out to run the job now.';
  end if;
  if expires_at = '-infinity' or expires_at >= '10000-01-01T00:00:00Z' then
    raise exception using
      errcode = 'WR003', column = 'expires_at',
      message = type || ': expires_at must be a finite time before the year 10000',
      hint = 'Leave it out if the job is wanted however late it runs.';
  end if;
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
end
$$;

ALTER FUNCTION writ_data.check_order(type text, payload jsonb, _text text, subject text, run_at timestamp with time zone, priority integer, idempotency_key text, expires_at timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.check_page(function_name text, field text, size bigint) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  if size < 1 then
    raise exception using
      errcode = 'WR003', column = field,
      message = function_name || ': ' || field || ' must be at least 1',
      hint = 'Leave it out for the default.';
  end if;
end
$$;

ALTER FUNCTION writ_data.check_page(function_name text, field text, size bigint) OWNER TO writ_owner;

CREATE FUNCTION writ_data.check_rows(type text, row_values jsonb[], first_place integer, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, max_faults integer) RETURNS writ_data.row_fault[]
    LANGUAGE plpgsql STABLE
    AS $_$
#variable_conflict use_variable
declare
  _faults writ_data.row_fault[] := '{}';
  _value jsonb;
  _place int := first_place - 1;
  _options writ_data.row_options;
  _checked writ_data.checked_fields;
  _fault writ_data.row_fault;
  _reading constant text := format('select (writ_data.%I($1)).*', 'object_' || type);
begin
  foreach _value in array row_values
  loop
    exit when cardinality(_faults) >= max_faults;
    _place := _place + 1;
    begin
      if _value is null or jsonb_typeof(_value) <> 'object' then
        raise exception using
          errcode = 'WR001', column = 'payload', message = type || ': payload must be a JSON object',
          hint = 'Its members are the fields of the job type; the view writ.job_type lists them.';
      end if;
      execute _reading into _checked using _value - writ_data.row_option_names();
      _options := writ_data.read_row_options(type, _value, run_at, priority, expires_at);
      perform writ_data.check_order(
        type, _checked.payload, _checked.payload::text, _checked.subject, _options.run_at,
        _options.priority, _options.idempotency_key, _options.expires_at
      );
      -- With a key it depends on whether the job was ordered before.
      if _options.idempotency_key is null then
        perform writ_data.check_expiry(
          type, _options.expires_at, _options.run_at, clock_timestamp()
        );
      end if;
    exception
      when others then
        get stacked diagnostics
          _fault.code = returned_sqlstate, _fault.field = column_name,
          _fault.message = message_text, _fault.hint = pg_exception_hint;
        -- Only what is said of the row, in our own words.
        if _fault.code not like 'WR%' then
          raise;
        end if;
        _fault.place := _place;
        _faults := _faults || _fault;
    end;
  end loop;
  return _faults;
end
$_$;

ALTER FUNCTION writ_data.check_rows(type text, row_values jsonb[], first_place integer, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, max_faults integer) OWNER TO writ_owner;

CREATE FUNCTION writ_data.check_schedule(name text, spec jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.check_schedule(name text, spec jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.check_type(type text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $_$
#variable_conflict use_variable
begin
  if type is null or not exists (select from writ_data.job_type as t where t.name = type) then
    raise exception using
      errcode = 'WR002', column = 'type',
      message = case
        when type ~ '^[a-z][a-z0-9_]{0,47}$' and not writ_data.looks_secret(type) then 'there is no job type ' || type
        else 'the job type is not known'
      end,
      hint = 'The view writ.job_type lists the job types; writ types publish adds one.';
  end if;
  if not writ_data.may_order(type, writ_data.caller()) then
    raise exception using
      errcode = 'WR007', message = type || ': this role may not order jobs of this type',
      hint = 'An administrator grants it with writ.grant_job_type.';
  end if;
end
$_$;

ALTER FUNCTION writ_data.check_type(type text) OWNER TO writ_owner;

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
  return code || format(
    E'  return (\n    _payload, %s,\n    %s,\n    %s\n  )::writ_data.checked_fields;\nend\n',
    coalesce(subject, 'null'),
    coalesce('jsonb_strip_nulls(jsonb_build_object(' || clear || '))', 'null'),
    coalesce('jsonb_strip_nulls(jsonb_build_object(' || digested || '))', 'null')
  );
end
$$;

ALTER FUNCTION writ_data.checking_body(spec jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.count_running(environment text, type text) RETURNS void
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.count_running(environment text, type text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.counted(count integer, noun text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN (((count || ' '::text) || noun) || CASE WHEN (count = 1) THEN ''::text ELSE 's'::text END);

ALTER FUNCTION writ_data.counted(count integer, noun text) OWNER TO writ_owner;

CREATE TABLE writ_data.batch (
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    finished_at timestamp with time zone,
    first_unfinished bigint DEFAULT 0 NOT NULL,
    jobs bigint,
    completed bigint,
    discarded bigint,
    cancelled bigint,
    callback_job_id bigint,
    callback_deadline interval,
    callback_counts jsonb,
    created_by text NOT NULL,
    actor text,
    CONSTRAINT batch_callback_counts_check CHECK ((jsonb_typeof(callback_counts) = 'object'::text)),
    CONSTRAINT batch_closed_before_finished CHECK (((finished_at IS NULL) OR (closed_at IS NOT NULL))),
    CONSTRAINT batch_finished_has_counts CHECK ((((finished_at IS NULL) = (num_nulls(jobs, completed, discarded, cancelled) = 4)) AND ((finished_at IS NOT NULL) = (num_nulls(jobs, completed, discarded, cancelled) = 0))))
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='200', autovacuum_vacuum_scale_factor='0.1');

ALTER TABLE writ_data.batch OWNER TO writ_owner;

COMMENT ON TABLE writ_data.batch IS 'Jobs that were ordered together; done when none is unfinished.';

COMMENT ON COLUMN writ_data.batch.first_unfinished IS 'No unfinished job of the batch has a lower number; the sweeper moves it on.';

COMMENT ON COLUMN writ_data.batch.callback_deadline IS 'How long the callback may take once the batch is done; until then it has no deadline.';

COMMENT ON COLUMN writ_data.batch.callback_counts IS 'Which fields of the callback take which count when the batch is done.';

CREATE FUNCTION writ_data.describe_batch(batch writ_data.batch, OUT id bigint, OUT state text, OUT created_at timestamp with time zone, OUT created_by text, OUT closed_at timestamp with time zone, OUT finished_at timestamp with time zone, OUT jobs bigint, OUT scheduled bigint, OUT available bigint, OUT running bigint, OUT retryable bigint, OUT waiting bigint, OUT review bigint, OUT completed bigint, OUT discarded bigint, OUT cancelled bigint, OUT per_second numeric, OUT done_in interval, OUT callback_job_id bigint, OUT callback_state text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_variable
declare
  _now constant timestamptz := clock_timestamp();
  _recent bigint;
  _since timestamptz;
begin
  id := batch.id;
  state := case
    when batch.finished_at is not null then 'finished'
    when batch.closed_at is not null then 'closed'
    else 'open'
  end;
  created_at := batch.created_at;
  created_by := batch.created_by;
  closed_at := batch.closed_at;
  finished_at := batch.finished_at;
  select count(*) filter (where j.state = 'scheduled'),
         count(*) filter (where j.state = 'available'),
         count(*) filter (where j.state = 'running'),
         count(*) filter (where j.state = 'retryable'),
         count(*) filter (where j.state = 'waiting'),
         count(*) filter (where j.state = 'waiting' and j.waiting_reason = 'review'),
         count(*)
    into scheduled, available, running, retryable, waiting, review, jobs
    from writ_data.job as j
   where j.batch_id = batch.id;
  if batch.finished_at is not null then
    jobs := batch.jobs;
    completed := batch.completed;
    discarded := batch.discarded;
    cancelled := batch.cancelled;
  else
    select count(*) filter (where h.state = 'completed'),
           count(*) filter (where h.state = 'discarded'),
           count(*) filter (where h.state = 'cancelled'),
           count(*) filter (where h.finished_at > _now - interval '1 minute'),
           greatest(_now - interval '1 minute', min(h.claimed_at))
      into completed, discarded, cancelled, _recent, _since
      from writ_data.job_history as h
     where h.batch_id = batch.id;
    if _recent > 0 and _now > _since then
      per_second := round(_recent / extract(epoch from _now - _since), 1);
    end if;
    if per_second > 0 then
      done_in := make_interval(secs => round(jobs / per_second)::double precision);
    end if;
    jobs := jobs + completed + discarded + cancelled;
  end if;
  callback_job_id := batch.callback_job_id;
  select j.state::text into callback_state
    from writ.job as j
   where j.id = batch.callback_job_id
   order by j.finished_at desc nulls first
   limit 1;
end
$$;

ALTER FUNCTION writ_data.describe_batch(batch writ_data.batch, OUT id bigint, OUT state text, OUT created_at timestamp with time zone, OUT created_by text, OUT closed_at timestamp with time zone, OUT finished_at timestamp with time zone, OUT jobs bigint, OUT scheduled bigint, OUT available bigint, OUT running bigint, OUT retryable bigint, OUT waiting bigint, OUT review bigint, OUT completed bigint, OUT discarded bigint, OUT cancelled bigint, OUT per_second numeric, OUT done_in interval, OUT callback_job_id bigint, OUT callback_state text) OWNER TO writ_owner;

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

CREATE TABLE writ_data.earlier_idempotency_key (
    environment text NOT NULL,
    type text NOT NULL,
    key text NOT NULL,
    job_id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    payload_digest bytea NOT NULL
);

ALTER TABLE writ_data.earlier_idempotency_key OWNER TO writ_owner;

COMMENT ON TABLE writ_data.earlier_idempotency_key IS 'Keys of before migration 9, which their jobs'' roles own; empty 30 days after it.';

CREATE FUNCTION writ_data.earlier_key(ordered_by text, environment text, type text, key text, now timestamp with time zone) RETURNS writ_data.earlier_idempotency_key
    LANGUAGE sql STABLE
    AS $_$
  select k.*
    from writ_data.earlier_idempotency_key as k
   where k.environment = $2 and k.type = $3 and k.key = $4
     and k.created_at > $5 - interval '720 hours'
     and $1 = coalesce(
           (select j.enqueued_by from writ_data.job as j where j.id = k.job_id),
           (select h.enqueued_by from writ_data.job_history as h where h.id = k.job_id limit 1)
         )
$_$;

ALTER FUNCTION writ_data.earlier_key(ordered_by text, environment text, type text, key text, now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.expire(max_jobs integer, now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.expire(max_jobs integer, now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.field_checks(type text, input jsonb) RETURNS text
    LANGUAGE plpgsql
    AS $_$
declare
  field constant text := input ->> 'name';
  kind constant text := input ->> 'kind';
  variable constant text := '"' || (input ->> 'name') || '"';
  form record := writ_data.form_rule(coalesce(input ->> 'json_type', input ->> 'kind'));
  code text := '';
  body text := '';
begin
  -- An input that callers can be expected to try, and that has no value ever.
  if input ? 'refuse' then
    return format(
      E'  if %s is not null then\n%s  end if;\n', variable,
      writ_data.refusal(type, field, 'must not be passed: ' || (input ->> 'refuse'),
      'Leave it out.')
    );
  end if;
  if input ? 'json_type' then
    -- Null means left out, in the typed call as in writ.enqueue.
    code := format(E'  %1$s := nullif(%1$s, ''null'');\n', variable);
  end if;
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
    when 'public_key' then format(
      E'    if not writ_data.is_public_key(%1$s) then\n  %2$s    end if;\n', variable,
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
    when 'json' then case
      when input ? 'json_type' then format(
        E'    if jsonb_typeof(%1$s) <> %2$L then\n  %3$s    end if;\n', variable,
        input ->> 'json_type', writ_data.refusal(type, field, form.rule, form.hint)
      )
      else ''
    end || format(
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
        type, field,
        'must have at least ' || writ_data.counted((input ->> 'min_length')::int, 'character'),
        'Pass a longer text.'
      )
    );
  end if;
  if input ? 'max_length' then
    body := body || format(
      E'    if length(%s) > %s then\n  %s    end if;\n', variable, (input ->> 'max_length')::int,
      writ_data.refusal(
        type, field,
        'must have at most ' || writ_data.counted((input ->> 'max_length')::int, 'character'),
        'Pass a shorter text.'
      )
    );
  end if;
  if input ? 'pattern' then
    body := body || format(
      E'    if %s !~ %L then\n  %s    end if;\n', variable,
      coalesce(input ->> 'expression', input ->> 'pattern'),
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
        type, field,
        'must have at least ' || writ_data.counted((input ->> 'min_items')::int, 'element'),
        'Pass more elements.'
      )
    );
  end if;
  if input ? 'max_items' then
    body := body || format(
      E'    if cardinality(%s) > %s then\n  %s    end if;\n', variable,
      (input ->> 'max_items')::int,
      writ_data.refusal(
        type, field,
        'must have at most ' || writ_data.counted((input ->> 'max_items')::int, 'element'),
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

CREATE FUNCTION writ_data.native_type(kind text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE kind WHEN 'string'::text THEN 'text'::text WHEN 'email'::text THEN 'text'::text WHEN 'uri'::text THEN 'text'::text WHEN 'public_key'::text THEN 'text'::text WHEN 'uuid'::text THEN 'uuid'::text WHEN 'date_time'::text THEN 'timestamptz'::text WHEN 'integer'::text THEN 'bigint'::text WHEN 'number'::text THEN 'numeric'::text WHEN 'boolean'::text THEN 'boolean'::text WHEN 'string_array'::text THEN 'text[]'::text WHEN 'uuid_array'::text THEN 'uuid[]'::text WHEN 'integer_array'::text THEN 'bigint[]'::text WHEN 'json'::text THEN 'jsonb'::text ELSE NULL::text END;

ALTER FUNCTION writ_data.native_type(kind text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.field_list(spec jsonb, with_types boolean) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN COALESCE((SELECT string_agg((format('"%s"'::text, (i.value ->> 'name'::text)) || CASE WHEN field_list.with_types THEN (' '::text || writ_data.native_type((i.value ->> 'kind'::text))) ELSE ''::text END), ', '::text ORDER BY i."position") AS string_agg FROM jsonb_array_elements((field_list.spec -> 'inputs'::text)) WITH ORDINALITY i(value, "position")), ''::text);

ALTER FUNCTION writ_data.field_list(spec jsonb, with_types boolean) OWNER TO writ_owner;

CREATE FUNCTION writ_data.field_text(input jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE (input ->> 'kind'::text) WHEN 'date_time'::text THEN writ_data.field_json(input) ELSE format('"%s"::text'::text, (input ->> 'name'::text)) END;

ALTER FUNCTION writ_data.field_text(input jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.find_schedules(name text, environment text) RETURNS SETOF writ_data.schedule
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.find_schedules(name text, environment text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.finish_batches(now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_column
declare
  _most constant int := 1000;
  _after bigint;
  _batch writ_data.batch;
  _next bigint;
  _last bigint;
  _seen int := 0;
  _finished int := 0;
  _job writ_data.job;
begin
  select s.batch_after into _after from writ_data.sweep_state as s;
  for _batch in
    select b.*
      from writ_data.batch as b
     where b.closed_at is not null and b.finished_at is null and b.id > _after
     order by b.id
     limit _most
  loop
    _seen := _seen + 1;
    _last := _batch.id;
    _next := writ_data.first_unfinished(_batch.id, _batch.first_unfinished);
    continue when _next = _batch.first_unfinished;
    perform from writ_data.batch as b where b.id = _batch.id for update skip locked;
    continue when not found;
    if _next is null then
      -- A replay may just bring a job of it back: with the row locked, look again.
      _next := writ_data.first_unfinished(_batch.id, 0);
    end if;
    if _next is not null then
      if _next > _batch.first_unfinished then
        update writ_data.batch as b
           set first_unfinished = _next
         where b.id = _batch.id and b.first_unfinished = _batch.first_unfinished;
      end if;
      continue;
    end if;
    perform from writ_data.job as j where j.id = _batch.callback_job_id for update skip locked;
    -- Somebody is cancelling the callback: the next sweep sees whether he has.
    continue when not found and exists (
      select from writ_data.job as j where j.id = _batch.callback_job_id
    );
    update writ_data.batch as b
       set finished_at = $1, jobs = c.jobs, completed = c.completed, discarded = c.discarded,
           cancelled = c.cancelled
      from (
        select count(*) as jobs, count(*) filter (where h.state = 'completed') as completed,
               count(*) filter (where h.state = 'discarded') as discarded,
               count(*) filter (where h.state = 'cancelled') as cancelled
          from writ_data.job_history as h
         where h.batch_id = _batch.id
      ) as c
     where b.id = _batch.id
    returning b.* into strict _batch;
    _finished := _finished + 1;
    insert into writ_data.audit_event (occurred_at, event, role_name, actor, recorded)
    values (
      $1, 'batch_finished', session_user, null,
      jsonb_build_object(
        'batch_id', _batch.id, 'jobs', _batch.jobs, 'completed', _batch.completed,
        'discarded', _batch.discarded, 'cancelled', _batch.cancelled
      )
    );
    update writ_data.job as j
       set state = 'available', waiting_reason = null, waiting_since = null,
           claim_order = nextval('writ_data.claim_order'), run_at = $1,
           deadline_at = $1 + _batch.callback_deadline,
           payload = j.payload || coalesce(
             (
               select jsonb_object_agg(
                        c.key,
                        case c.value
                          when 'jobs' then _batch.jobs
                          when 'completed' then _batch.completed
                          when 'discarded' then _batch.discarded
                          when 'cancelled' then _batch.cancelled
                        end
                      )
                 from jsonb_each_text(_batch.callback_counts) as c
             ),
             '{}'
           )
     where j.id = _batch.callback_job_id and j.state = 'waiting' and j.waiting_reason = 'batch'
    returning j.* into _job;
    if found then
      insert into writ_data.audit_event (
        occurred_at, event, job_id, attempt, type, environment, from_state, to_state,
        waiting_reason, role_name, subject_digest, recorded
      )
      values (
        $1, 'unparked', _job.id, _job.attempt, _job.type, _job.environment, 'waiting', 'available',
        'batch', session_user, _job.subject_digest, jsonb_build_object('batch_id', _batch.id)
      );
      perform writ_data.wake(_job.queue);
    end if;
  end loop;
  if _seen = _most or _after > 0 then
    update writ_data.sweep_state as s
       set batch_after = case when _seen = _most then _last else 0 end;
  end if;
  return _finished;
end
$_$;

ALTER FUNCTION writ_data.finish_batches(now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.fire_schedule(now timestamp with time zone) RETURNS TABLE(schedule text, outcome text, job_id bigint)
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.fire_schedule(now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.first_unfinished(batch_id bigint, from_id bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_column
begin
  return (
    select j.id
      from writ_data.job as j
     where j.batch_id = $1 and j.id >= $2
     order by j.id
     limit 1
  );
end
$_$;

ALTER FUNCTION writ_data.first_unfinished(batch_id bigint, from_id bigint) OWNER TO writ_owner;

CREATE FUNCTION writ_data.forget_old_rows(now timestamp with time zone, max_rows integer) RETURNS void
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_column
declare
  _old bigint[];
begin
  select array_agg(job_id)
    into _old
    from (
      select s.job_id
        from writ_data.row_set as s
       where s.created_at < $1 - interval '30 days'
         and not exists (select from writ_data.job as j where j.id = s.job_id)
       order by s.created_at
       limit 10
         for update skip locked
    ) as o;
  if _old is null then
    return;
  end if;
  delete from writ_data.job_row as r
   where r.ctid = any (
           array(select o.ctid from writ_data.job_row as o where o.job_id = any (_old) limit $2)
         );
  delete from writ_data.row_set as s
   where s.job_id = any (_old)
     and not exists (select from writ_data.job_row as r where r.job_id = s.job_id);
end
$_$;

ALTER FUNCTION writ_data.forget_old_rows(now timestamp with time zone, max_rows integer) OWNER TO writ_owner;

CREATE FUNCTION writ_data.forget_rows(job_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_column
begin
  -- In the order of forget_old_rows, which may be at the same job.
  perform from writ_data.row_set as s where s.job_id = $1 for update;
  delete from writ_data.job_row as r where r.job_id = $1;
  delete from writ_data.row_set as s where s.job_id = $1;
end
$_$;

ALTER FUNCTION writ_data.forget_rows(job_id bigint) OWNER TO writ_owner;

CREATE FUNCTION writ_data.forget_workers(now timestamp with time zone, max_workers integer) RETURNS void
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.forget_workers(now timestamp with time zone, max_workers integer) OWNER TO writ_owner;

CREATE FUNCTION writ_data.form_rule(kind text, OUT rule text, OUT hint text) RETURNS record
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
 SELECT form.rule,
     form.hint
    FROM ( VALUES ('string'::text,'must be a text'::text,'Pass a JSON string.'::text), ('email'::text,'must be an e-mail address'::text,'Pass an address such as name@example.com: no spaces, at most 254 characters.'::text), ('uri'::text,'must be an absolute URI'::text,'Pass a URI such as https://example.com/path.'::text), ('public_key'::text,'must be a public key of writ keys generate'::text,'Pass the whole line that begins with writ-public-v1-; the private key stays with you.'::text), ('uuid'::text,'must be a UUID'::text,'Pass 32 hex digits as 8-4-4-4-12.'::text), ('date_time'::text,'must be a date and time with an offset'::text,'Pass RFC 3339, such as 2030-01-31T09:30:00Z.'::text), ('integer'::text,'must be an integer'::text,'Pass a whole number of at most 64 bits.'::text), ('number'::text,'must be a number'::text,'Pass a finite JSON number.'::text), ('boolean'::text,'must be true or false'::text,'Pass a boolean.'::text), ('string_array'::text,'must be a list of texts'::text,'Pass an array of strings without nulls.'::text), ('uuid_array'::text,'must be a list of UUIDs'::text,'Pass an array of UUIDs without nulls.'::text), ('integer_array'::text,'must be a list of integers'::text,'Pass an array of whole numbers without nulls.'::text), ('json'::text,'must be JSON'::text,'Pass a well-formed JSON value.'::text), ('object'::text,'must be an object'::text,'Pass a JSON object.'::text), ('array'::text,'must be a list'::text,'Pass a JSON array.'::text)) form(kind, rule, hint)
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
            and f.proname in (
                  'fields_' || type, 'object_' || type, 'enqueue_' || type, 'json_' || type
                )
          )
    loop
      execute 'drop function ' || old.signature;
    end loop;
  end if;
  execute format(
    'create or replace function writ_data.%I(%s) returns writ_data.checked_fields'
    ' language plpgsql stable as %L',
    'fields_' || type, writ_data.field_list(spec, true), E'\n' || writ_data.checking_body(spec)
  );
  execute format(
    'create or replace function writ_data.%I(_fields jsonb) returns writ_data.checked_fields'
    ' language plpgsql stable as %L',
    'object_' || type, E'\n' || writ_data.reading_body(spec)
  );
  execute format(
    'create or replace function writ_data.%I(%s) returns bigint language plpgsql as %L',
    'enqueue_' || type, replace(native.parameters, ' default null', ''),
    format(
      E'\n#variable_conflict use_variable\ndeclare\n'
      '  _checked writ_data.checked_fields := writ_data.%I(%s);\nbegin\n%send\n',
      'fields_' || type, writ_data.field_list(spec, false), writ_data.adding_call(spec)
    )
  );
  execute format(
    'create or replace function writ_data.%I(_fields jsonb, run_at timestamptz, priority int,'
    ' idempotency_key text, environment text, queue text, traceparent text, expires_at timestamptz)'
    ' returns bigint language plpgsql as %L',
    'json_' || type,
    format(
      E'\n#variable_conflict use_variable\ndeclare\n'
      '  _checked writ_data.checked_fields := writ_data.%I(_fields);\nbegin\n%send\n',
      'object_' || type, writ_data.adding_call(spec)
    )
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

CREATE FUNCTION writ_data.generator() RETURNS integer
    LANGUAGE sql IMMUTABLE
    RETURN 5;

ALTER FUNCTION writ_data.generator() OWNER TO writ_owner;

CREATE FUNCTION writ_data.insert_schedule(schedule writ_data.schedule, now timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.insert_schedule(schedule writ_data.schedule, now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.is_portable_pattern(pattern text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    AS $_$
declare
  rest constant text := regexp_replace(pattern, '\\(u[0-9A-F]{4}|U[0-9A-F]{8})', 'x', 'g');
begin
  if length(pattern) > 100000
    or rest ~ '^\*\*\*'
    or rest ~ '\\[^dws.^$*+?()\[\]{}|/\\-]'
    or rest ~ '\(\?(?!:)'
    -- Inside of brackets, [: [. and [= begin something that only POSIX knows.
    or rest ~ '\[\^?\]?[^]]*\[[:.=]'
    or rest ~ '[*+?}][?+]'
    or rest ~ '[[:cntrl:]]'
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

CREATE FUNCTION writ_data.is_public_key(value text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $_$
declare
  _bytes bytea;
  _key bytea;
begin
  if value is null or value !~ '^writ-public-v1-[0-9A-Za-z_-]{48}$' then
    return false;
  end if;
  _bytes := decode(translate(substr(value, 16), '-_', '+/'), 'base64');
  _key := substr(_bytes, 1, 32);
  return substr(sha256(convert_to('writ-public-v1-', 'UTF8') || _key), 1, 4) = substr(_bytes, 33)
    and get_byte(_key, 31) < 128
    and encode(_key, 'hex') <> all (
      array[
        '0000000000000000000000000000000000000000000000000000000000000000',
        '0100000000000000000000000000000000000000000000000000000000000000',
        'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
        '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
        'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
      ]
    );
end
$_$;

ALTER FUNCTION writ_data.is_public_key(value text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.join_batch(batch_id bigint, closes boolean) RETURNS void
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_column
declare
  _batch writ_data.batch;
begin
  select b.* into _batch
    from writ_data.batch as b
   where b.id = $1 and b.created_by = writ_data.caller();
  if found and $2 then
    select b.* into _batch from writ_data.batch as b where b.id = $1 for update;
  elsif found then
    select b.* into _batch from writ_data.batch as b where b.id = $1 for key share;
  end if;
  if not found then
    perform writ_data.refuse_batch(
      'there is no such batch, or another role made it', 'writ.create_batch makes one.'
    );
  elsif _batch.closed_at is not null then
    perform writ_data.refuse_batch(
      format('batch %s is closed', $1), 'Jobs can join a batch until it is closed; make a new one.'
    );
  end if;
end
$_$;

ALTER FUNCTION writ_data.join_batch(batch_id bigint, closes boolean) OWNER TO writ_owner;

CREATE FUNCTION writ_data.keep_rows(job_id bigint, seq integer, rows jsonb, now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_column
begin
  insert into writ_data.row_set (job_id, created_at) values ($1, $4) on conflict do nothing;
  insert into writ_data.job_row (job_id, seq, place, key, data)
  select $1, $2, r.place::int, r.value ->> 0, r.value -> 1
    from jsonb_array_elements($3) with ordinality as r (value, place)
  on conflict do nothing;
end
$_$;

ALTER FUNCTION writ_data.keep_rows(job_id bigint, seq integer, rows jsonb, now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.key_job(ordered_by text, environment text, type text, key text, id bigint, payload_digest bytea, now timestamp with time zone, free_at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_column
declare
  _known writ_data.idempotency_key;
  _earlier writ_data.earlier_idempotency_key := writ_data.earlier_key($1, $2, $3, $4, $7);
begin
  if _earlier.job_id is not null then
    if _earlier.payload_digest = $6 then
      return _earlier.job_id;
    end if;
    perform writ_data.refuse_key($3);
  end if;
  loop
    insert into writ_data.idempotency_key as k (
      ordered_by, environment, type, key, job_id, taken_at, free_at, payload_digest
    )
    values ($1, $2, $3, $4, $5, $7, $8, $6)
    on conflict do nothing;
    if found then
      return $5;
    end if;
    select k.*
      into _known
      from writ_data.idempotency_key as k
     where k.ordered_by = $1 and k.environment = $2 and k.type = $3 and k.key = $4;
    if found and _known.free_at > $7 then
      if _known.payload_digest = $6 then
        return _known.job_id;
      end if;
      perform writ_data.refuse_key($3);
    end if;
    -- Of two callers that take it over, the second waits, and sees that it is not free any more.
    update writ_data.idempotency_key as k
       set job_id = $5, taken_at = $7, free_at = $8, payload_digest = $6
     where k.ordered_by = $1 and k.environment = $2 and k.type = $3 and k.key = $4
       and k.free_at <= $7;
    if found then
      return $5;
    end if;
    -- Swept away, or taken over, between two statements: look again.
  end loop;
end
$_$;

ALTER FUNCTION writ_data.key_job(ordered_by text, environment text, type text, key text, id bigint, payload_digest bytea, now timestamp with time zone, free_at timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.limit_place(INOUT environment text, INOUT type text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
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

ALTER FUNCTION writ_data.limit_place(INOUT environment text, INOUT type text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.lock_gates(environment text, types text[], waits boolean) RETURNS boolean
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.lock_gates(environment text, types text[], waits boolean) OWNER TO writ_owner;

CREATE FUNCTION writ_data.log_schedule(event writ_data.audit_event_kind, schedule writ_data.schedule, now timestamp with time zone, recorded jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION writ_data.log_schedule(event writ_data.audit_event_kind, schedule writ_data.schedule, now timestamp with time zone, recorded jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.looks_secret(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (value ~ 'sk_[0-9A-Za-z]{4,}_[0-9A-Za-z]{8,}|eyJ[0-9A-Za-z_-]{6,}\.[0-9A-Za-z_-]{6,}|-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY|[Bb][Ee][Aa][Rr][Ee][Rr] +[0-9A-Za-z._~+/=-]{8,}|(AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{30,}|github_pat_[0-9A-Za-z_]{30,}|writ-private-v1-[0-9A-Za-z_-]{16,}|glpat-[0-9A-Za-z_-]{20,}|xox[abeprs]-[0-9A-Za-z-]{10,}|AIza[0-9A-Za-z_-]{35}'::text);

ALTER FUNCTION writ_data.looks_secret(value text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.make_gates() RETURNS void
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION writ_data.make_gates() OWNER TO writ_owner;

CREATE FUNCTION writ_data.may_order(type text, role_name text) RETURNS boolean
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT (EXISTS ( SELECT
            FROM pg_proc f
           WHERE ((f.pronamespace = ('writ'::regnamespace)::oid) AND (f.proname = may_order.type) AND has_function_privilege((may_order.role_name)::name, f.oid, 'execute'::text)))) AS "exists";
END;

ALTER FUNCTION writ_data.may_order(type text, role_name text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.moment_of(wall timestamp without time zone, zone text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    AS $$
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

ALTER FUNCTION writ_data.moment_of(wall timestamp without time zone, zone text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.next_firing(schedule writ_data.schedule, after timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    AS $$
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

ALTER FUNCTION writ_data.next_firing(schedule writ_data.schedule, after timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.next_start(environment text, queue text, now timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.next_start(environment text, queue text, now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.next_wall_time(minutes integer[], hours integer[], days integer[], is_last_day boolean, months integer[], weekdays integer[], matches_either_day boolean, after timestamp without time zone) RETURNS timestamp without time zone
    LANGUAGE plpgsql IMMUTABLE
    AS $$
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

ALTER FUNCTION writ_data.next_wall_time(minutes integer[], hours integer[], days integer[], is_last_day boolean, months integer[], weekdays integer[], matches_either_day boolean, after timestamp without time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.note_limit(environment text, type text, recorded jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $_$
begin
  insert into writ_data.audit_event (
    occurred_at, event, type, environment, role_name, actor, recorded
  )
  values (
    clock_timestamp(), 'limit_changed', nullif($2, ''), $1, writ_data.caller(),
    writ_data.actor(), $3
  );
end
$_$;

ALTER FUNCTION writ_data.note_limit(environment text, type text, recorded jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.open_batch(callback_type text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
  _now constant timestamptz := clock_timestamp();
  _caller constant text := writ_data.caller();
  _actor constant text := writ_data.actor();
  _id bigint;
begin
  insert into writ_data.batch (created_at, created_by, actor)
  values (_now, _caller, _actor)
  returning id into _id;
  insert into writ_data.audit_event (occurred_at, event, role_name, actor, recorded)
  values (
    _now, 'batch_created', _caller, _actor,
    jsonb_strip_nulls(jsonb_build_object('batch_id', _id, 'callback_type', callback_type))
  );
  return _id;
end
$$;

ALTER FUNCTION writ_data.open_batch(callback_type text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.order_scheduled(schedule writ_data.schedule) RETURNS bigint
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.order_scheduled(schedule writ_data.schedule) OWNER TO writ_owner;

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
$_$;

ALTER FUNCTION writ_data.park(ids bigint[], reason writ_data.waiting_reason, worker_id bigint, now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.parked_types(environment text, queue text) RETURNS text[]
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.parked_types(environment text, queue text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.promote_user_actions(now timestamp with time zone, max_jobs integer, OUT promoted integer, OUT queues text[], OUT next_due_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_column
begin
  with held as materialized (
    select j.id
      from writ_data.job as j
     where j.state = 'waiting' and j.waiting_reason = 'user_action' and j.run_at <= $1
     order by j.run_at
     limit $2
       for update skip locked
  ), changed as (
    update writ_data.job as j
       set state = 'available', claim_order = nextval('writ_data.claim_order'),
           waiting_reason = null, waiting_since = null
     where j.id = any (array(select id from held))
    returning j.*
  ), logged as (
    insert into writ_data.audit_event (
      occurred_at, event, job_id, attempt, type, environment, from_state, to_state, waiting_reason,
      role_name, subject_digest
    )
    select $1, 'promoted', c.id, c.attempt, c.type, c.environment, 'waiting', 'available',
           'user_action', session_user, c.subject_digest
      from changed as c
     order by c.run_at, c.id
  )
  select count(*), array_agg(distinct c.queue)
    into promoted, queues
    from changed as c;
  select j.run_at
    into next_due_at
    from writ_data.job as j
   where j.state = 'waiting' and j.waiting_reason = 'user_action'
   order by j.run_at
   limit 1;
end
$_$;

ALTER FUNCTION writ_data.promote_user_actions(now timestamp with time zone, max_jobs integer, OUT promoted integer, OUT queues text[], OUT next_due_at timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.put_schedules(type text, specs jsonb, now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION writ_data.put_schedules(type text, specs jsonb, now timestamp with time zone) OWNER TO writ_owner;

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

CREATE FUNCTION writ_data.read_row_options(type text, row_value jsonb, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone) RETURNS writ_data.row_options
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_variable
declare
  _options writ_data.row_options := (run_at, priority, null, expires_at);
  _value jsonb;
  _name text;
  _time timestamptz;
begin
  foreach _name in array array['run_at', 'expires_at']
  loop
    _value := row_value -> _name;
    continue when _value is null or _value = 'null';
    _time := case
      when jsonb_typeof(_value) = 'string' then writ_data.read_date_time(_value #>> '{}')
    end;
    if _time is null then
      raise exception using
        errcode = 'WR003', column = _name,
        message = type || ': ' || _name || ' must be a date and time with an offset',
        hint = 'Pass RFC 3339, such as 2030-01-31T09:30:00Z.';
    end if;
    if _name = 'run_at' then
      _options.run_at := _time;
    else
      _options.expires_at := _time;
    end if;
  end loop;
  _value := row_value -> 'priority';
  if _value <> 'null' then
    if (case jsonb_typeof(_value)
      -- From 0 to 9 is a matter of check_order.
      when 'number' then (_value #>> '{}')::numeric % 1 <> 0
        or abs((_value #>> '{}')::numeric) > 1000
      else true
    end) then
      raise exception using
        errcode = 'WR003', column = 'priority', message = type || ': priority must be from 0 to 9',
        hint = '0 goes first, 9 last; without the option it is 5.';
    end if;
    _options.priority := (_value #>> '{}')::numeric::int;
  end if;
  _value := row_value -> 'idempotency_key';
  if _value <> 'null' then
    if jsonb_typeof(_value) <> 'string' then
      raise exception using
        errcode = 'WR003', column = 'idempotency_key',
        message = type || ': idempotency_key must be a text', hint = 'Pass a JSON string.';
    end if;
    _options.idempotency_key := _value #>> '{}';
  end if;
  return _options;
end
$$;

ALTER FUNCTION writ_data.read_row_options(type text, row_value jsonb, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.read_rows(payloads text[]) RETURNS jsonb[]
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  if payloads is null then
    return null;
  end if;
  return array(
    select value::jsonb from unnest(payloads) with ordinality as e (value, place) order by place
  );
exception
  when data_exception or program_limit_exceeded then
    return array(
      select writ_data.read_json(value) from unnest(payloads) with ordinality as e (value, place)
       order by place
    );
end
$$;

ALTER FUNCTION writ_data.read_rows(payloads text[]) OWNER TO writ_owner;

CREATE FUNCTION writ_data.read_rows(payloads jsonb) RETURNS jsonb[]
    LANGUAGE sql IMMUTABLE
    RETURN CASE jsonb_typeof(payloads) WHEN 'array'::text THEN ARRAY(SELECT e.value FROM jsonb_array_elements(read_rows.payloads) WITH ORDINALITY e(value, place) ORDER BY e.place) ELSE NULL::jsonb[] END;

ALTER FUNCTION writ_data.read_rows(payloads jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_data.read_schedule(type text, name text, spec jsonb) RETURNS SETOF writ_data.schedule
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.read_schedule(type text, name text, spec jsonb) OWNER TO writ_owner;

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
    '     where _key ~ ''^[A-Za-z_][A-Za-z0-9_]{0,62}$'' and not writ_data.looks_secret(_key);\n'
    '    raise exception using\n'
    '      errcode = ''WR001'', column = coalesce(_unknown, ''payload''), message = %2$L || coalesce(\n'
    '        ''unknown field '' || _unknown, ''a field of the payload is not known''\n'
    '      ),\n      hint = %3$L;\n  end if;\n',
    names, type || ': ',
    case when names = '{}' then 'This job type has no fields.' else 'The fields are: '
      || array_to_string(names, ', ') || '.' end
  ) || checks || format(
    E'  return writ_data.%I(%s);\nend\n', 'fields_' || type, writ_data.field_list(spec, false)
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

CREATE FUNCTION writ_data.refuse_batch(rule text, hint text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  raise exception using errcode = 'WR008', column = 'batch_id', message = rule, hint = hint;
end
$$;

ALTER FUNCTION writ_data.refuse_batch(rule text, hint text) OWNER TO writ_owner;

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

CREATE FUNCTION writ_data.refuse_key(type text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  raise exception using
    errcode = 'WR006', column = 'idempotency_key',
    message = type || ': idempotency_key was used before with another payload',
    hint = 'One key stands for one job: use a new key, or pass the same fields.';
end
$$;

ALTER FUNCTION writ_data.refuse_key(type text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.refuse_limit(field text, rule text, hint text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  raise exception using
    errcode = 'WR003', column = field, message = 'limit: ' || rule, hint = hint;
end
$$;

ALTER FUNCTION writ_data.refuse_limit(field text, rule text, hint text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.refuse_rows(type text, faults writ_data.row_fault[], max_faults integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  _first constant writ_data.row_fault := faults[1];
  _count constant int := cardinality(faults);
begin
  raise exception using
    errcode = _first.code, column = _first.field,
    message = format(
      '%s: row %s: %s%s', type, _first.place, substr(_first.message, length(type) + 3),
      case
        when _count >= max_faults then format(' (and %s more wrong rows or more)', _count - 1)
        when _count > 1 then format(' (and %s)', writ_data.counted(_count - 1, 'more wrong row'))
        else ''
      end
    ),
    detail = (
      select string_agg(
               format('row %s: %s', f.place, substr(f.message, length(type) + 3)),
               E'\n' order by f.place
             )
        from unnest(faults) as f
    ),
    hint = _first.hint;
end
$$;

ALTER FUNCTION writ_data.refuse_rows(type text, faults writ_data.row_fault[], max_faults integer) OWNER TO writ_owner;

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

CREATE FUNCTION writ_data.regenerate_types() RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION writ_data.regenerate_types() OWNER TO writ_owner;

CREATE FUNCTION writ_data.remove_circuit(environment text, target text, worker_id bigint, role_name text, actor text) RETURNS boolean
    LANGUAGE plpgsql
    AS $_$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
  _opened_at timestamptz;
begin
  delete from writ_data.circuit as c
   where c.environment = $1 and c.target = $2
  returning c.opened_at into _opened_at;
  if not found then
    return false;
  end if;
  insert into writ_data.audit_event (
    occurred_at, event, worker_id, environment, role_name, actor, recorded
  )
  values (
    _now, 'circuit_closed', $3, $1, $4, $5,
    jsonb_build_object(
      'target', $2, 'open_seconds', round(extract(epoch from _now - _opened_at), 3)
    )
  );
  return true;
end
$_$;

ALTER FUNCTION writ_data.remove_circuit(environment text, target text, worker_id bigint, role_name text, actor text) OWNER TO writ_owner;

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
$_$;

ALTER FUNCTION writ_data.replay_obstacle(job_id bigint, OUT rule text, OUT hint text, OUT is_forcible boolean) OWNER TO writ_owner;

CREATE FUNCTION writ_data.room(environment text, types text[], granted bigint[], now timestamp with time zone) RETURNS TABLE(type text, may_run bigint, may_start bigint, starts_at timestamp with time zone, used_until timestamp with time zone, spacing interval)
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.room(environment text, types text[], granted bigint[], now timestamp with time zone) OWNER TO writ_owner;

CREATE FUNCTION writ_data.row_option_names() RETURNS text[]
    LANGUAGE sql IMMUTABLE
    RETURN '{run_at,priority,idempotency_key,expires_at}'::text[];

ALTER FUNCTION writ_data.row_option_names() OWNER TO writ_owner;

CREATE FUNCTION writ_data.schedule_error(state text, message text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN jsonb_build_object('code', state, 'text', CASE WHEN (state ~~ 'WR%'::text) THEN message ELSE 'the database refused the order'::text END);

ALTER FUNCTION writ_data.schedule_error(state text, message text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.schedule_obstacle(schedule writ_data.schedule) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION writ_data.schedule_obstacle(schedule writ_data.schedule) OWNER TO writ_owner;

CREATE FUNCTION writ_data.sees_all() RETURNS boolean
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT (pg_has_role((writ_data.caller())::name, 'writ_admin'::name, 'member'::text) OR pg_has_role((writ_data.caller())::name, 'writ_auditor'::name, 'member'::text));
END;

ALTER FUNCTION writ_data.sees_all() OWNER TO writ_owner;

CREATE FUNCTION writ_data.take_parked(environment text, queue text, max_jobs integer, now timestamp with time zone, OUT ids bigint[], OUT gates text[]) RETURNS record
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.take_parked(environment text, queue text, max_jobs integer, now timestamp with time zone, OUT ids bigint[], OUT gates text[]) OWNER TO writ_owner;

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
    form := writ_data.form_rule(coalesce(input ->> 'json_type', kind));
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
    ' traceparent text default null, expires_at timestamptz default null';
  signature := signature || 'timestamptz, int, text, text, text, text, timestamptz';
  body := format(
    E'begin\n%s  return writ_data.%I(\n    %srun_at, priority, idempotency_key, environment, queue,'
    ' traceparent, expires_at\n  );\nend\n',
    checks, 'enqueue_' || type, arguments
  );
end
$_$;

ALTER FUNCTION writ_data.typed_call(spec jsonb, as_text boolean, OUT parameters text, OUT signature text, OUT body text) OWNER TO writ_owner;

CREATE FUNCTION writ_data.unpark_lifted(max_jobs integer, now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $_$
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
$_$;

ALTER FUNCTION writ_data.unpark_lifted(max_jobs integer, now timestamp with time zone) OWNER TO writ_owner;

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
$_$;

ALTER FUNCTION writ_data.unpark_subjects(environments text[], subjects text[], now timestamp with time zone) OWNER TO writ_owner;

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

CREATE FUNCTION writ_worker.claim(worker_id bigint, queue text, environment text, max_jobs integer, lower_bounds bigint[]) RETURNS TABLE(id bigint, type text, definition_hash text, payload jsonb, subject text, attempt integer, failures integer, max_attempts integer, unresolved boolean, past_deadline boolean, past_action_deadline boolean, cancel_requested boolean, traceparent text, priority smallint, claim_order bigint, enqueued_at timestamp with time zone, journal jsonb, exhausted boolean, snapshot_xmin bigint, snapshot_xmax bigint, parked jsonb, next_start_in double precision, blocked bigint[])
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
$_$;

ALTER FUNCTION writ_worker.claim(worker_id bigint, queue text, environment text, max_jobs integer, lower_bounds bigint[]) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.close_circuit(worker_id bigint, environment text, target text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '500ms'
    AS $_$
#variable_conflict use_column
begin
  perform
     from writ_data.circuit as c
    where c.environment = $2 and c.target = $3
      for update skip locked;
  return found and writ_data.remove_circuit($2, $3, $1, session_user, null);
end
$_$;

ALTER FUNCTION writ_worker.close_circuit(worker_id bigint, environment text, target text) OWNER TO writ_owner;

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
  delete from writ_data.worker_key as k where k.worker_id = $1;
  insert into writ_data.audit_event (occurred_at, event, worker_id, role_name)
  values (_now, 'worker_stopped', $1, session_user);
  return true;
end
$_$;

ALTER FUNCTION writ_worker.deregister(worker_id bigint) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.fire_schedule() RETURNS TABLE(schedule text, outcome text, job_id bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  return query select f.* from writ_data.fire_schedule(clock_timestamp()) as f;
end
$$;

ALTER FUNCTION writ_worker.fire_schedule() OWNER TO writ_owner;

CREATE FUNCTION writ_worker.installation() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return (select i.name from writ_data.installation as i);
end
$$;

ALTER FUNCTION writ_worker.installation() OWNER TO writ_owner;

CREATE FUNCTION writ_worker.open_circuit(worker_id bigint, environment text, target text, pause interval, silence interval, failed_jobs integer, error_code text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET lock_timeout TO '500ms'
    AS $_$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
begin
  if not exists (
    select
      from writ_data.worker as w
     where w.id = $1 and w.state = 'live' and w.lease_expires_at > _now
  ) then
    return 'lease_ended';
  end if;
  if exists (
    select from writ_data.circuit as c where c.environment = $2 and c.target = $3
  ) then
    return 'open';
  end if;
  if not exists (select from writ_data.job_type as t where $3 = any (t.targets)) then
    return 'no_type_calls_it';
  end if;
  if exists (
    select
      from writ_data.target_answer as a
     where a.environment = $2 and a.target = $3 and a.worker_id <> $1
       and a.answered_at > _now - $5
  ) then
    return 'others_get_through';
  end if;
  insert into writ_data.circuit (
    opened_at, pause, worker_id, failed_jobs, environment, target, error_code
  )
  values (_now, $4, $1, $6, $2, $3, left($7, 100))
  on conflict on constraint circuit_pkey do nothing;
  if found then
    insert into writ_data.audit_event (
      occurred_at, event, worker_id, environment, role_name, error_code, recorded
    )
    values (
      _now, 'circuit_opened', $1, $2, session_user, left($7, 100),
      jsonb_build_object('target', $3, 'failed_jobs', $6)
    );
  end if;
  return 'open';
end
$_$;

ALTER FUNCTION writ_worker.open_circuit(worker_id bigint, environment text, target text, pause interval, silence interval, failed_jobs integer, error_code text) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.open_circuits(worker_id bigint, environments text[], answers jsonb) RETURNS TABLE(environment text, target text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '500ms'
    AS $_$
#variable_conflict use_column
begin
  insert into writ_data.target_answer as a (answered_at, worker_id, environment, target)
  select distinct on (new.environment, new.target) clock_timestamp(), $1, new.environment, new.target
    from jsonb_to_recordset($3) as new (environment text, target text)
   order by new.environment, new.target
  on conflict on constraint target_answer_pkey do update set answered_at = excluded.answered_at;
  return query
    select c.environment, c.target
      from writ_data.circuit as c
     where c.environment = any ($2)
     order by c.environment, c.target;
end
$_$;

ALTER FUNCTION writ_worker.open_circuits(worker_id bigint, environments text[], answers jsonb) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.open_definitions(environment text, type text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  _hashes text[] := array(
    select d.hash
      from writ_data.definition as d
     where d.type = $2
       and not exists (
             select from writ_data.job_type as t where t.name = $2 and t.definition_hash = d.hash
           )
  );
begin
  if _hashes = '{}' then
    return;
  end if;
  return query
    select distinct j.definition_hash
      from writ_data.job as j
     where j.environment = $1 and j.definition_hash = any (_hashes);
end
$_$;

ALTER FUNCTION writ_worker.open_definitions(environment text, type text) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.record(worker_id bigint, entries jsonb, skips_locked boolean DEFAULT false) RETURNS TABLE(job_id bigint, accepted boolean, cancel_requested boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET lock_timeout TO '500ms'
    AS $_$
#variable_conflict use_column
declare
  _now timestamptz := clock_timestamp();
  _all writ_data.record_entry[];
  _entries writ_data.record_entry[];
  _asked bigint[];
  _free bigint[];
  _busy bigint[] := '{}';
  _ids bigint[];
  _cancels boolean[];
  _ending bigint[];
  _has_subjects boolean;
  _environments text[];
  _subjects text[];
begin
  select array_agg(e::writ_data.record_entry order by e.place), array_agg(distinct e.job)
    into _all, _asked
    from (
      select e.place, e.job, e.attempt, e.kind, e.seq, e.step, e.effect, e.result, e.status,
             left(e.error_code, 100), e.duration_us, e.outputs, e.action, nullif(e.recorded, '{}'),
             nullif(e.digested, '{}'), e.error, e.delay_us, e.burns, e.unresolved, e.rows
        from rows from (
               jsonb_to_recordset($2) as (
                 job bigint, attempt int, kind text, seq int, step text, effect text, result jsonb,
                 status int, error_code text, duration_us bigint, outputs jsonb, action jsonb,
                 recorded jsonb, digested jsonb, error jsonb, delay_us bigint, burns boolean,
                 unresolved boolean, rows jsonb
               )
             ) with ordinality as e (
               job, attempt, kind, seq, step, effect, result, status, error_code, duration_us,
               outputs,
               action, recorded, digested, error, delay_us, burns, unresolved, rows, place
             )
    ) as e (
      place, job, attempt, kind, seq, step, effect, result, status, error_code, duration_us,
      outputs, action,
      recorded, digested, error, delay_us, burns, unresolved, rows
    );

  _free := _asked;
  if $3 then
    _free := array(
      select j.id
        from writ_data.job as j
       where j.id = any (_asked) and j.state::text = 'running' and j.worker_id = $1
       order by j.id
         for update skip locked
    );
    _busy := array(
      select j.id
        from writ_data.job as j
       where j.id = any (_asked) and j.id <> all (_free)
         and j.state::text = 'running' and j.worker_id = $1
    );
  end if;

  with held as materialized (
    select j.id, j.attempt, j.cancel_requested, j.subject is not null as has_subject
      from writ_data.job as j
     -- As text, so that no partial index fits: job_running keeps the entries of every job that this
     -- worker ever held, for as long as anybody holds a snapshot.
     where j.id = any (_free) and j.state::text = 'running' and j.worker_id = $1
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
    select array_agg(distinct e.job) filter (where e.kind in ('complete', 'discard', 'cancel'))
      into _ending
      from unnest(_entries) as e;

    -- What the steps have read, and then how much of it there is: the worker cannot know what came twice.
    perform writ_data.keep_rows(e.job, e.seq, e.rows, _now)
       from unnest(_entries) as e
      where e.kind = 'outcome' and e.rows is not null;
    if exists (select from unnest(_entries) as e where e.kind = 'complete' and e.result ? 'rows') then
      select array_agg(
               case
                 when s.job_id is null then e
                 else jsonb_populate_record(
                        e, jsonb_build_object(
                          'result', e.result || n.rows,
                          'recorded',
                          case when e.recorded ? 'rows' then e.recorded || n.rows else e.recorded end
                        )
                      )
               end
               order by e.place
             )
        into _entries
        from unnest(_entries) as e
        left join writ_data.row_set as s
          on s.job_id = e.job and e.kind = 'complete' and e.result ? 'rows'
        left join lateral (
               select jsonb_build_object('rows', count(*)) as rows
                 from writ_data.job_row as r
                where r.job_id = s.job_id
             ) as n on true;
    end if;

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
               when 'review' then 'review_requested' when 'user_action' then 'user_action_requested'
             when 'hand_back' then 'handed_back'
           end::writ_data.audit_event_kind,
           e.job, $1, e.attempt, j.type, j.environment,
           case when e.kind <> 'outcome' then j.state end,
           case e.kind
             when 'complete' then 'completed' when 'discard' then 'discarded'
               when 'cancel' then 'cancelled'
             when 'retry' then 'retryable' when 'review' then 'waiting'
               when 'user_action' then 'waiting' when 'hand_back' then 'available'
           end::writ_data.job_state,
           case when e.kind in ('review',
           'user_action') then e.kind::writ_data.waiting_reason end,
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
     where n.outcome_at is null or n.action ->> 'do' in ('again', 'user_action');

    -- The jobs that go on: back in the line, to wait, or on with a request on record.
    update writ_data.job as j
       set state = f.state,
           run_at = case
             when f.kind = 'retry'
             then _now + least(coalesce(f.delay_us, 0), 2592000000000) * interval '1 microsecond'
             when f.kind = 'user_action'
             then least(
               _now + coalesce(f.delay_us, 0) * interval '1 microsecond',
               coalesce(j.action_deadline_at, _now + f.deadline_us * interval '1 microsecond')
             )
             else j.run_at
           end,
           failures = j.failures + case
             when f.kind = 'review' or (f.kind = 'retry' and coalesce(f.burns, true)) then 1 else 0
           end,
           unresolved = case
             when f.kind in ('retry', 'hand_back') then coalesce(f.unresolved, false)
             when f.kind = 'review'
             then coalesce(f.unresolved, j.unresolved and not f.has_outcome)
             else false
           end,
           last_error = coalesce(f.error, j.last_error),
           waiting_reason = case
             when f.kind in ('review', 'user_action') then f.kind::writ_data.waiting_reason
           end,
           waiting_since = case when f.kind in ('review', 'user_action') then _now end,
           -- A check that met an outage leaves the user where he was; any other outcome is past that.
           action_url = case
             when f.kind = 'user_action' then f.url
             when f.kind in ('retry', 'hand_back') then j.action_url
           end,
           action_deadline_at = case
             when f.kind = 'user_action'
             then coalesce(j.action_deadline_at, _now + f.deadline_us * interval '1 microsecond')
             when f.kind in ('retry', 'hand_back') then j.action_deadline_at
           end,
           worker_id = case when f.state = 'running' then j.worker_id end,
           is_limited = f.state = 'running' and j.is_limited,
           claim_order = case when f.kind = 'hand_back' then -nextval('writ_data.claim_order') end
      from (
        select distinct on (e.job)
               e.job, e.kind, e.delay_us, e.burns, e.unresolved, e.error,
               e.action ->> 'url' as url, (e.action ->> 'deadline_us')::bigint as deadline_us,
               case e.kind
                 when 'retry' then 'retryable' when 'review' then 'waiting'
                 when 'user_action' then 'waiting'
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
          result, batch_id
        )
        select id, run_at, enqueued_at, deadline_at, claimed_at, _now, worker_id, attempt, failures,
               max_attempts,
               case end_kind
                 when 'complete' then 'completed' when 'discard' then 'discarded' else 'cancelled'
               end::writ_data.job_state,
               priority, false, type, environment, queue, definition_hash, subject,
               subject_digest, enqueued_by, actor, idempotency_key, traceparent, payload,
               coalesce(end_error, last_error),
               end_result, batch_id
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
                  and (old.outcome_at is null or old.action ->> 'do' in ('again', 'user_action'))
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
       where old.job_id is null or old.outcome_at is null or old.action ->> 'do' in ('again', 'user_action');
    end if;

    -- Who waited for these?
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
    select a.id, case when a.id <> all (_busy) then h.id is not null end,
           coalesce(h.cancels, false)
      from unnest(_asked) as a (id)
      left join unnest(_ids, _cancels) as h (id, cancels) on h.id = a.id;
end
$_$;

ALTER FUNCTION writ_worker.record(worker_id bigint, entries jsonb, skips_locked boolean) OWNER TO writ_owner;

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

CREATE FUNCTION writ_worker.report_keys(worker_id bigint, environments text[], keys jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
begin
  update writ_data.worker as w
     set environments = $2
   where w.id = $1 and w.state = 'live' and w.lease_expires_at > _now;
  if not found then
    return false;
  end if;
  delete from writ_data.worker_key as k
   where k.worker_id = $1
     and not exists (
       select
         from jsonb_to_recordset($3) as new (environment text, type text)
        where new.environment = k.environment and new.type = k.type
     );
  insert into writ_data.worker_key as k (
    worker_id, loaded_at, environment, type, prefix, fingerprint
  )
  select $1, _now, new.environment, new.type, new.prefix, new.fingerprint
    from jsonb_to_recordset($3)
           as new (environment text, type text, prefix text, fingerprint text)
  on conflict (worker_id, environment, type) do update
     set loaded_at = excluded.loaded_at, prefix = excluded.prefix,
         fingerprint = excluded.fingerprint
   where k.fingerprint is distinct from excluded.fingerprint;
  return true;
end
$_$;

ALTER FUNCTION writ_worker.report_keys(worker_id bigint, environments text[], keys jsonb) OWNER TO writ_owner;

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

CREATE FUNCTION writ_worker.sweep(max_jobs integer) RETURNS TABLE(lost_workers integer, returned integer, promoted integer, unparked integer, expired integer, next_due_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET lock_timeout TO '2s'
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
$_$;

ALTER FUNCTION writ_worker.sweep(max_jobs integer) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.unpark(ids bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '500ms'
    SET jit TO 'off'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $_$
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
$_$;

ALTER FUNCTION writ_worker.unpark(ids bigint[]) OWNER TO writ_owner;

CREATE FUNCTION writ_worker.workers_without_key(environment text, type text, fingerprint text) RETURNS TABLE(worker_id bigint, name text, host text, prefix text, has_reported boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
begin
  return query
    select w.id, w.name, w.host, k.prefix, w.environments is not null
      from writ_data.worker as w
      left join writ_data.worker_key as k
        on k.worker_id = w.id and k.environment = $1 and k.type = $2
     where w.state = 'live' and w.lease_expires_at > clock_timestamp()
       and (
         w.environments is null
         or $1 = any (w.environments) and k.worker_id is not null
            and k.fingerprint is distinct from $3
       )
     order by w.name, w.id;
end
$_$;

ALTER FUNCTION writ_worker.workers_without_key(environment text, type text, fingerprint text) OWNER TO writ_owner;

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

CREATE TABLE writ_data.circuit (
    opened_at timestamp with time zone NOT NULL,
    pause interval NOT NULL,
    worker_id bigint NOT NULL,
    failed_jobs integer NOT NULL,
    environment text NOT NULL,
    target text NOT NULL,
    error_code text NOT NULL,
    CONSTRAINT circuit_error_code_check CHECK (((length(error_code) >= 1) AND (length(error_code) <= 100))),
    CONSTRAINT circuit_failed_jobs_check CHECK ((failed_jobs > 0)),
    CONSTRAINT circuit_pause_check CHECK (((pause >= '00:00:00.01'::interval) AND (pause <= '01:00:00'::interval))),
    CONSTRAINT circuit_target_check CHECK (((length(target) >= 1) AND (length(target) <= 200)))
);

ALTER TABLE writ_data.circuit OWNER TO writ_owner;

COMMENT ON TABLE writ_data.circuit IS 'Targets that have stopped answering: the jobs that call them start one at a time.';

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
    batch_id bigint,
    action_url text,
    action_deadline_at timestamp with time zone,
    CONSTRAINT job_action_url_check CHECK ((length(action_url) <= 2048)),
    CONSTRAINT job_state_has_its_columns CHECK (((state < 'completed'::writ_data.job_state) AND ((state = 'available'::writ_data.job_state) = (claim_order IS NOT NULL)) AND ((state = 'running'::writ_data.job_state) = (worker_id IS NOT NULL)) AND ((state = 'waiting'::writ_data.job_state) = (waiting_reason IS NOT NULL)) AND ((waiting_since IS NULL) = (waiting_reason IS NULL)) AND ((action_url IS NULL) = (action_deadline_at IS NULL)) AND ((action_url IS NOT NULL) OR (waiting_reason IS DISTINCT FROM 'user_action'::writ_data.waiting_reason))))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0.05');

ALTER TABLE writ_data.job OWNER TO writ_owner;

COMMENT ON TABLE writ_data.job IS 'Every unfinished job. What is finished moves to job_history.';

COMMENT ON COLUMN writ_data.job.claim_order IS 'Place in the line; below zero is the front lane.';

COMMENT ON COLUMN writ_data.job.attempt IS 'How often it was claimed: the fencing token, only grows.';

COMMENT ON COLUMN writ_data.job.failures IS 'Attempts that count against max_attempts.';

COMMENT ON COLUMN writ_data.job.unresolved IS 'A request may have left that nobody recorded.';

COMMENT ON COLUMN writ_data.job.is_limited IS 'Running and counted against the limit of its type.';

COMMENT ON COLUMN writ_data.job.action_url IS 'Where its user has to go; stays while it is asked again. Whoever knows it can use it.';

COMMENT ON COLUMN writ_data.job.action_deadline_at IS 'Until when he has to have acted.';

CREATE VIEW writ.circuit AS
 SELECT c.environment,
    c.target,
    c.opened_at,
    c.pause,
    c.error_code,
    c.failed_jobs,
    c.worker_id AS opened_by_worker,
    ARRAY( SELECT t.name
           FROM writ_data.job_type t
          WHERE (c.target = ANY (t.targets))
          ORDER BY t.name) AS types,
    ( SELECT count(*) AS count
           FROM (writ_data.job j
             JOIN writ_data.job_type t ON ((t.name = j.type)))
          WHERE ((j.environment = c.environment) AND (c.target = ANY (t.targets)) AND (j.state = 'waiting'::writ_data.job_state) AND (j.waiting_reason = ANY (ARRAY['concurrency'::writ_data.waiting_reason, 'rate'::writ_data.waiting_reason])))) AS parked
   FROM writ_data.circuit c;

ALTER TABLE writ.circuit OWNER TO writ_owner;

COMMENT ON VIEW writ.circuit IS 'Targets that have stopped answering, and how many jobs are parked because of them or of a limit.';

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

CREATE TABLE writ_data.installation (
    singleton boolean DEFAULT true NOT NULL,
    name text NOT NULL,
    CONSTRAINT installation_name_check CHECK ((name ~ '^[0-9a-f]{8}$'::text)),
    CONSTRAINT installation_singleton_check CHECK (singleton)
);

ALTER TABLE writ_data.installation OWNER TO writ_owner;

COMMENT ON TABLE writ_data.installation IS 'The name of this installation, a part of the names of the keys that it makes.';

CREATE VIEW writ.installation AS
 SELECT installation.name
   FROM writ_data.installation;

ALTER TABLE writ.installation OWNER TO writ_owner;

COMMENT ON VIEW writ.installation IS 'What the names of keys end with that this installation has made.';

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
    batch_id bigint,
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
    job.claim_order,
    job.batch_id
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
    NULL::bigint AS claim_order,
    job_history.batch_id
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
    min(job.enqueued_at) AS oldest_enqueued_at,
    min(job.run_at) AS oldest_run_at
   FROM writ_data.job
  GROUP BY job.type, job.environment, job.queue, job.state, job.waiting_reason;

ALTER TABLE writ.job_summary OWNER TO writ_owner;

COMMENT ON VIEW writ.job_summary IS 'How many unfinished jobs there are, by type and state.';

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
    job_type.published_by,
    job_type.targets
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

CREATE TABLE writ_data.limit_setting (
    environment text NOT NULL,
    type text NOT NULL,
    concurrency integer,
    rate_limit integer,
    rate_period interval,
    changed_at timestamp with time zone NOT NULL,
    changed_by text NOT NULL,
    CONSTRAINT limit_setting_concurrency_check CHECK (((concurrency >= 0) AND (concurrency <= 100000))),
    CONSTRAINT limit_setting_rate_has_period CHECK (((rate_limit IS NULL) = (rate_period IS NULL))),
    CONSTRAINT limit_setting_rate_limit_check CHECK (((rate_limit >= 1) AND (rate_limit <= 100000))),
    CONSTRAINT limit_setting_rate_period_check CHECK (((rate_period >= '00:00:00.001'::interval) AND (rate_period <= '31 days'::interval)))
);

ALTER TABLE writ_data.limit_setting OWNER TO writ_owner;

COMMENT ON TABLE writ_data.limit_setting IS 'Limits set at run time; without a type, for all jobs of the environment together.';

CREATE VIEW writ_data.limit_in_force AS
 SELECT l.environment,
    l.type,
    l.concurrency,
        CASE
            WHEN (c.pause IS NULL) THEN l.rate_limit
            ELSE 1
        END AS rate_limit,
        CASE
            WHEN (c.pause IS NULL) THEN l.rate_period
            ELSE GREATEST(c.pause, (l.rate_period / (l.rate_limit)::double precision))
        END AS rate_period,
    l.rate_limit AS lasting_rate_limit,
    l.rate_period AS lasting_rate_period
   FROM (( SELECT e.name AS environment,
            t.name AS type,
                CASE
                    WHEN (s.type IS NULL) THEN t.concurrency
                    ELSE s.concurrency
                END AS concurrency,
                CASE
                    WHEN (s.type IS NULL) THEN t.rate_limit
                    ELSE s.rate_limit
                END AS rate_limit,
                CASE
                    WHEN (s.type IS NULL) THEN t.rate_period
                    ELSE s.rate_period
                END AS rate_period
           FROM ((writ_data.environment e
             CROSS JOIN writ_data.job_type t)
             LEFT JOIN writ_data.limit_setting s ON (((s.environment = e.name) AND (s.type = t.name))))) l
     LEFT JOIN ( SELECT o.environment,
            t.name AS type,
            max(o.pause) AS pause
           FROM (writ_data.circuit o
             JOIN writ_data.job_type t ON ((o.target = ANY (t.targets))))
          GROUP BY o.environment, t.name) c ON (((c.environment = l.environment) AND (c.type = l.type))))
  WHERE ((COALESCE(l.concurrency, l.rate_limit) IS NOT NULL) OR (c.pause IS NOT NULL))
UNION ALL
 SELECT limit_setting.environment,
    limit_setting.type,
    limit_setting.concurrency,
    limit_setting.rate_limit,
    limit_setting.rate_period,
    limit_setting.rate_limit AS lasting_rate_limit,
    limit_setting.rate_period AS lasting_rate_period
   FROM writ_data.limit_setting
  WHERE ((limit_setting.type = ''::text) AND (COALESCE(limit_setting.concurrency, limit_setting.rate_limit) IS NOT NULL));

ALTER TABLE writ_data.limit_in_force OWNER TO writ_owner;

CREATE VIEW writ."limit" AS
 SELECT limits.environment,
    NULLIF(limits.type, ''::text) AS type,
    limits.concurrency,
    limits.rate_limit AS rate,
    limits.rate_period AS per,
    limits.burst,
    limits.is_set,
    limits.changed_at,
    limits.changed_by,
    ( SELECT count(*) AS count
           FROM writ_data.job j
          WHERE ((j.environment = limits.environment) AND ((limits.type = ''::text) OR (j.type = limits.type)) AND (j.state = 'running'::writ_data.job_state))) AS running,
    ( SELECT count(*) AS count
           FROM writ_data.job j
          WHERE ((j.environment = limits.environment) AND ((limits.type = ''::text) OR (j.type = limits.type)) AND (j.state = 'waiting'::writ_data.job_state) AND (j.waiting_reason = ANY (ARRAY['concurrency'::writ_data.waiting_reason, 'rate'::writ_data.waiting_reason])))) AS parked
   FROM ( SELECT l.environment,
            l.type,
            l.concurrency,
            l.lasting_rate_limit AS rate_limit,
            l.lasting_rate_period AS rate_period,
                CASE
                    WHEN (l.lasting_rate_limit IS NOT NULL) THEN GREATEST(((l.lasting_rate_limit + 9) / 10), LEAST(l.lasting_rate_limit, 2))
                    ELSE NULL::integer
                END AS burst,
            (s.type IS NOT NULL) AS is_set,
            s.changed_at,
            s.changed_by
           FROM (writ_data.limit_in_force l
             LEFT JOIN writ_data.limit_setting s ON (((s.environment = l.environment) AND (s.type = l.type))))
          WHERE (COALESCE(l.concurrency, l.lasting_rate_limit) IS NOT NULL)
        UNION ALL
         SELECT s.environment,
            s.type,
            NULL::integer,
            NULL::integer,
            NULL::interval,
            NULL::integer,
            true,
            s.changed_at,
            s.changed_by
           FROM writ_data.limit_setting s
          WHERE (COALESCE(s.concurrency, s.rate_limit) IS NULL)) limits;

ALTER TABLE writ."limit" OWNER TO writ_owner;

COMMENT ON VIEW writ."limit" IS 'What limits how many jobs run and start; a row without numbers lifts what a definition says.';

CREATE VIEW writ.schedule AS
 SELECT s.name,
    s.type,
    s.environment,
    s.queue,
    s.priority,
    s.cron,
    s.time_zone,
    s.missed,
    s.is_published,
    s.is_paused,
    s.next_fire_at,
    s.last_fire_at,
    s.last_job_id,
    COALESCE(( SELECT concat_ws(', '::text, j.state, j.waiting_reason) AS concat_ws
           FROM writ_data.job j
          WHERE (j.id = s.last_job_id)), ( SELECT (h.state)::text AS state
           FROM writ_data.job_history h
          WHERE (h.id = s.last_job_id))) AS last_job_state,
    s.last_error,
    s.inputs,
    s.created_at,
    s.created_by
   FROM writ_data.schedule s;

ALTER TABLE writ.schedule OWNER TO writ_owner;

COMMENT ON VIEW writ.schedule IS 'When which jobs are ordered by the clock.';

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
    environments text[],
    CONSTRAINT worker_ended CHECK (((state = 'live'::writ_data.worker_state) = (ended_at IS NULL))),
    CONSTRAINT worker_host_check CHECK (((length(host) >= 1) AND (length(host) <= 255))),
    CONSTRAINT worker_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT worker_version_check CHECK (((length(version) >= 1) AND (length(version) <= 100)))
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='200', autovacuum_vacuum_scale_factor='0');

ALTER TABLE writ_data.worker OWNER TO writ_owner;

COMMENT ON TABLE writ_data.worker IS 'Processes that take jobs; one lease covers all jobs of a worker.';

COMMENT ON COLUMN writ_data.worker.environments IS 'The environments that it serves; null until it has said which keys it has.';

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

COMMENT ON VIEW writ.worker IS 'Processes that take jobs, until a week after their end.';

CREATE TABLE writ_data.worker_key (
    worker_id bigint NOT NULL,
    loaded_at timestamp with time zone NOT NULL,
    environment text NOT NULL,
    type text NOT NULL,
    prefix text,
    fingerprint text,
    CONSTRAINT worker_key_fingerprint_check CHECK ((fingerprint ~ '^[0-9a-f]{12}$'::text)),
    CONSTRAINT worker_key_is_whole CHECK (((prefix IS NULL) = (fingerprint IS NULL))),
    CONSTRAINT worker_key_prefix_check CHECK ((prefix ~ '^sk_[0-9a-f]{12}$'::text))
)
WITH (autovacuum_vacuum_threshold='200', autovacuum_vacuum_scale_factor='0');

ALTER TABLE writ_data.worker_key OWNER TO writ_owner;

COMMENT ON TABLE writ_data.worker_key IS 'The keys that each live worker''s secret store shows, by their public parts.';

CREATE VIEW writ.worker_key AS
 SELECT k.worker_id,
    w.name AS worker_name,
    w.host AS worker_host,
    k.environment,
    k.type,
    k.prefix,
    k.fingerprint,
    k.loaded_at
   FROM (writ_data.worker_key k
     JOIN writ_data.worker w ON ((w.id = k.worker_id)))
  WHERE ((w.state = 'live'::writ_data.worker_state) AND (w.lease_expires_at > clock_timestamp()));

ALTER TABLE writ.worker_key OWNER TO writ_owner;

COMMENT ON VIEW writ.worker_key IS 'The keys that the stores of live workers show.';

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

ALTER TABLE writ_data.batch ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME writ_data.batch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

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

CREATE TABLE writ_data.function_text (
    singleton boolean DEFAULT true NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    applied_by text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT function_text_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT function_text_singleton_check CHECK (singleton)
);

ALTER TABLE writ_data.function_text OWNER TO writ_owner;

COMMENT ON TABLE writ_data.function_text IS 'With which text the functions were last replaced.';

CREATE TABLE writ_data.gate (
    environment text NOT NULL,
    type text NOT NULL,
    rate_used_until timestamp with time zone
)
WITH (fillfactor='20', autovacuum_vacuum_threshold='200', autovacuum_vacuum_scale_factor='0');

ALTER TABLE writ_data.gate OWNER TO writ_owner;

COMMENT ON TABLE writ_data.gate IS 'One row a limited type, or without a type a limited environment: whoever counts locks it.';

CREATE TABLE writ_data.idempotency_key (
    taken_at timestamp with time zone NOT NULL,
    free_at timestamp with time zone NOT NULL,
    job_id bigint NOT NULL,
    ordered_by text NOT NULL,
    environment text NOT NULL,
    type text NOT NULL,
    key text NOT NULL,
    payload_digest bytea NOT NULL
);

ALTER TABLE writ_data.idempotency_key OWNER TO writ_owner;

COMMENT ON TABLE writ_data.idempotency_key IS 'Which key of a role stands for which job, and until when.';

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
    batch_id bigint,
    CONSTRAINT job_history_state_check CHECK ((state = ANY (ARRAY['completed'::writ_data.job_state, 'discarded'::writ_data.job_state, 'cancelled'::writ_data.job_state])))
);

ALTER TABLE writ_data.job_history_default OWNER TO writ_owner;

CREATE TABLE writ_data.job_row (
    job_id bigint NOT NULL,
    seq integer NOT NULL,
    place integer NOT NULL,
    key text NOT NULL,
    data writ_data.json_object NOT NULL,
    CONSTRAINT job_row_key_check CHECK (((length(key) >= 1) AND (length(key) <= 500))),
    CONSTRAINT job_row_place_check CHECK ((place > 0)),
    CONSTRAINT job_row_seq_check CHECK ((seq > 0))
);

ALTER TABLE writ_data.job_row OWNER TO writ_owner;

COMMENT ON TABLE writ_data.job_row IS 'What jobs have read, an element a row; personal data, kept for 30 days.';

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

CREATE TABLE writ_data.row_set (
    job_id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE writ_data.row_set OWNER TO writ_owner;

COMMENT ON TABLE writ_data.row_set IS 'Which jobs have rows, and since when.';

ALTER TABLE writ_data.schedule ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME writ_data.schedule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

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
    batch_after bigint DEFAULT 0 NOT NULL,
    CONSTRAINT sweep_state_singleton_check CHECK (singleton)
)
WITH (fillfactor='10');

ALTER TABLE writ_data.sweep_state OWNER TO writ_owner;

COMMENT ON TABLE writ_data.sweep_state IS 'Where the sweeper starts to look for due jobs, and when it last looked everywhere.';

CREATE TABLE writ_data.target_answer (
    answered_at timestamp with time zone NOT NULL,
    worker_id bigint NOT NULL,
    environment text NOT NULL,
    target text NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='200', autovacuum_vacuum_scale_factor='0');

ALTER TABLE writ_data.target_answer OWNER TO writ_owner;

COMMENT ON TABLE writ_data.target_answer IS 'When each target last answered each worker, as it told with its heartbeats of the last hour.';

ALTER TABLE writ_data.worker ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME writ_data.worker_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY writ_data.audit_event ATTACH PARTITION writ_data.audit_event_default DEFAULT;

ALTER TABLE ONLY writ_data.job_history ATTACH PARTITION writ_data.job_history_default DEFAULT;

ALTER TABLE ONLY writ_data.journal_history ATTACH PARTITION writ_data.journal_history_default DEFAULT;

ALTER TABLE ONLY writ_data.audit_event
    ADD CONSTRAINT audit_event_pkey PRIMARY KEY (id, occurred_at);

ALTER TABLE ONLY writ_data.audit_event_default
    ADD CONSTRAINT audit_event_default_pkey PRIMARY KEY (id, occurred_at);

ALTER TABLE ONLY writ_data.batch
    ADD CONSTRAINT batch_pkey PRIMARY KEY (id);

ALTER TABLE ONLY writ_data.circuit
    ADD CONSTRAINT circuit_pkey PRIMARY KEY (environment, target);

ALTER TABLE ONLY writ_data.definition
    ADD CONSTRAINT definition_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY writ_data.digest_key
    ADD CONSTRAINT digest_key_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY writ_data.earlier_idempotency_key
    ADD CONSTRAINT earlier_idempotency_key_pkey PRIMARY KEY (environment, type, key);

ALTER TABLE ONLY writ_data.environment
    ADD CONSTRAINT environment_pkey PRIMARY KEY (name);

ALTER TABLE ONLY writ_data.function_text
    ADD CONSTRAINT function_text_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY writ_data.gate
    ADD CONSTRAINT gate_pkey PRIMARY KEY (environment, type);

ALTER TABLE ONLY writ_data.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (ordered_by, environment, type, key);

ALTER TABLE ONLY writ_data.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY writ_data.job_history
    ADD CONSTRAINT job_history_pkey PRIMARY KEY (id, finished_at);

ALTER TABLE ONLY writ_data.job_history_default
    ADD CONSTRAINT job_history_default_pkey PRIMARY KEY (id, finished_at);

ALTER TABLE ONLY writ_data.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY writ_data.job_row
    ADD CONSTRAINT job_row_pkey PRIMARY KEY (job_id, key);

ALTER TABLE ONLY writ_data.job_type
    ADD CONSTRAINT job_type_pkey PRIMARY KEY (name);

ALTER TABLE ONLY writ_data.journal_history
    ADD CONSTRAINT journal_history_pkey PRIMARY KEY (job_id, seq, finished_at);

ALTER TABLE ONLY writ_data.journal_history_default
    ADD CONSTRAINT journal_history_default_pkey PRIMARY KEY (job_id, seq, finished_at);

ALTER TABLE ONLY writ_data.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (job_id, seq);

ALTER TABLE ONLY writ_data.limit_setting
    ADD CONSTRAINT limit_setting_pkey PRIMARY KEY (environment, type);

ALTER TABLE ONLY writ_data.row_set
    ADD CONSTRAINT row_set_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY writ_data.schedule
    ADD CONSTRAINT schedule_name_environment_key UNIQUE NULLS NOT DISTINCT (name, environment);

ALTER TABLE ONLY writ_data.schedule
    ADD CONSTRAINT schedule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY writ_data.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (version);

ALTER TABLE ONLY writ_data.subject_slot
    ADD CONSTRAINT subject_slot_pkey PRIMARY KEY (environment, subject);

ALTER TABLE ONLY writ_data.sweep_state
    ADD CONSTRAINT sweep_state_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY writ_data.target_answer
    ADD CONSTRAINT target_answer_pkey PRIMARY KEY (environment, target, worker_id);

ALTER TABLE ONLY writ_data.worker_key
    ADD CONSTRAINT worker_key_pkey PRIMARY KEY (worker_id, environment, type);

ALTER TABLE ONLY writ_data.worker
    ADD CONSTRAINT worker_pkey PRIMARY KEY (id);

CREATE INDEX audit_event_job ON ONLY writ_data.audit_event USING btree (job_id) WHERE (job_id IS NOT NULL);

CREATE INDEX audit_event_default_job_id_idx ON writ_data.audit_event_default USING btree (job_id) WHERE (job_id IS NOT NULL);

CREATE INDEX batch_created_by ON writ_data.batch USING btree (created_by, id);

CREATE INDEX batch_unfinished ON writ_data.batch USING btree (id) WHERE ((closed_at IS NOT NULL) AND (finished_at IS NULL));

CREATE INDEX earlier_idempotency_key_age ON writ_data.earlier_idempotency_key USING btree (created_at);

CREATE UNIQUE INDEX environment_default ON writ_data.environment USING btree (is_default) WHERE is_default;

CREATE INDEX idempotency_key_free ON writ_data.idempotency_key USING btree (free_at);

CREATE INDEX job_available ON writ_data.job USING btree (queue, environment, priority, claim_order) WHERE (state = 'available'::writ_data.job_state);

CREATE INDEX job_batch ON writ_data.job USING btree (batch_id, id) WHERE (batch_id IS NOT NULL);

CREATE INDEX job_deadline ON writ_data.job USING btree (deadline_at) WHERE ((deadline_at IS NOT NULL) AND (state <> 'running'::writ_data.job_state) AND (NOT unresolved) AND ((waiting_reason IS NULL) OR (waiting_reason <> 'review'::writ_data.waiting_reason)));

CREATE INDEX job_due ON writ_data.job USING btree (run_at) WHERE (state = ANY (ARRAY['scheduled'::writ_data.job_state, 'retryable'::writ_data.job_state]));

CREATE INDEX job_history_batch ON ONLY writ_data.job_history USING btree (batch_id, finished_at) WHERE (batch_id IS NOT NULL);

CREATE INDEX job_history_default_batch_id_finished_at_idx ON writ_data.job_history_default USING btree (batch_id, finished_at) WHERE (batch_id IS NOT NULL);

CREATE INDEX job_history_subject ON ONLY writ_data.job_history USING btree (environment, subject, id) WHERE (subject IS NOT NULL);

CREATE INDEX job_history_default_environment_subject_id_idx ON writ_data.job_history_default USING btree (environment, subject, id) WHERE (subject IS NOT NULL);

CREATE INDEX job_limited ON writ_data.job USING btree (environment, type) WHERE ((state = 'running'::writ_data.job_state) AND is_limited);

CREATE INDEX job_parked ON writ_data.job USING btree (environment, type, queue, priority, id) WHERE ((state = 'waiting'::writ_data.job_state) AND (waiting_reason = ANY (ARRAY['concurrency'::writ_data.waiting_reason, 'rate'::writ_data.waiting_reason])));

CREATE INDEX job_row_in_order ON writ_data.job_row USING btree (job_id, seq, place);

CREATE INDEX job_running ON writ_data.job USING btree (worker_id) WHERE (state = 'running'::writ_data.job_state);

CREATE INDEX job_subject ON writ_data.job USING btree (environment, subject, id) WHERE (subject IS NOT NULL);

CREATE INDEX job_type_limited ON writ_data.job_type USING btree (name) WHERE (COALESCE(concurrency, rate_limit) IS NOT NULL);

CREATE INDEX job_user_action ON writ_data.job USING btree (run_at) WHERE ((state = 'waiting'::writ_data.job_state) AND (waiting_reason = 'user_action'::writ_data.waiting_reason));

CREATE INDEX job_waiting ON writ_data.job USING btree (waiting_since) WHERE ((state = 'waiting'::writ_data.job_state) AND (waiting_reason = 'predecessor'::writ_data.waiting_reason));

CREATE INDEX row_set_age ON writ_data.row_set USING btree (created_at);

CREATE INDEX schedule_due ON writ_data.schedule USING btree (next_fire_at) WHERE (next_fire_at IS NOT NULL);

CREATE INDEX worker_idle ON writ_data.worker USING btree (id) WHERE (is_idle AND (state = 'live'::writ_data.worker_state));

CREATE INDEX worker_unswept ON writ_data.worker USING btree (id) WHERE (NOT is_swept);

ALTER INDEX writ_data.audit_event_job ATTACH PARTITION writ_data.audit_event_default_job_id_idx;

ALTER INDEX writ_data.audit_event_pkey ATTACH PARTITION writ_data.audit_event_default_pkey;

ALTER INDEX writ_data.job_history_batch ATTACH PARTITION writ_data.job_history_default_batch_id_finished_at_idx;

ALTER INDEX writ_data.job_history_subject ATTACH PARTITION writ_data.job_history_default_environment_subject_id_idx;

ALTER INDEX writ_data.job_history_pkey ATTACH PARTITION writ_data.job_history_default_pkey;

ALTER INDEX writ_data.journal_history_pkey ATTACH PARTITION writ_data.journal_history_default_pkey;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON writ_data.audit_event FOR EACH ROW EXECUTE FUNCTION writ_data.refuse_change();

CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON writ_data.audit_event FOR EACH STATEMENT EXECUTE FUNCTION writ_data.refuse_change();

CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON writ_data.audit_event_default FOR EACH STATEMENT EXECUTE FUNCTION writ_data.refuse_change();

ALTER TABLE ONLY writ_data.circuit
    ADD CONSTRAINT circuit_environment_fkey FOREIGN KEY (environment) REFERENCES writ_data.environment(name);

ALTER TABLE ONLY writ_data.job_type
    ADD CONSTRAINT job_type_definition_hash_fkey FOREIGN KEY (definition_hash) REFERENCES writ_data.definition(hash);

ALTER TABLE ONLY writ_data.limit_setting
    ADD CONSTRAINT limit_setting_environment_fkey FOREIGN KEY (environment) REFERENCES writ_data.environment(name);

GRANT USAGE ON SCHEMA writ TO writ_enqueuer;
GRANT USAGE ON SCHEMA writ TO writ_admin;
GRANT USAGE ON SCHEMA writ TO writ_auditor;

GRANT USAGE ON SCHEMA writ_worker TO writ_worker;

REVOKE ALL ON FUNCTION writ.add_schedule(type text, name text, spec jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.add_schedule(type text, name text, spec jsonb) TO writ_admin;

REVOKE ALL ON FUNCTION writ.batch_jobs(batch_id bigint, only_state text, after bigint, max_jobs integer) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.batch_jobs(batch_id bigint, only_state text, after bigint, max_jobs integer) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.batch_jobs(batch_id bigint, only_state text, after bigint, max_jobs integer) TO writ_admin;
GRANT ALL ON FUNCTION writ.batch_jobs(batch_id bigint, only_state text, after bigint, max_jobs integer) TO writ_auditor;

REVOKE ALL ON FUNCTION writ.batch_status(batch_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.batch_status(batch_id bigint) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.batch_status(batch_id bigint) TO writ_admin;
GRANT ALL ON FUNCTION writ.batch_status(batch_id bigint) TO writ_auditor;

REVOKE ALL ON FUNCTION writ.batches(max_batches integer) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.batches(max_batches integer) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.batches(max_batches integer) TO writ_admin;
GRANT ALL ON FUNCTION writ.batches(max_batches integer) TO writ_auditor;

REVOKE ALL ON FUNCTION writ.cancel(job_id bigint, force boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.cancel(job_id bigint, force boolean) TO writ_admin;

REVOKE ALL ON FUNCTION writ.check_many(type text, payloads text[], run_at timestamp with time zone, priority integer, expires_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.check_many(type text, payloads text[], run_at timestamp with time zone, priority integer, expires_at timestamp with time zone) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.check_many(type text, payloads text[], run_at timestamp with time zone, priority integer, expires_at timestamp with time zone) TO writ_admin;

REVOKE ALL ON FUNCTION writ.check_now(job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.check_now(job_id bigint) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.check_now(job_id bigint) TO writ_admin;

REVOKE ALL ON FUNCTION writ.clear_limit(type text, environment text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.clear_limit(type text, environment text) TO writ_admin;

REVOKE ALL ON FUNCTION writ.close_batch(batch_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.close_batch(batch_id bigint) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.close_batch(batch_id bigint) TO writ_admin;

REVOKE ALL ON FUNCTION writ.close_circuit(target text, environment text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.close_circuit(target text, environment text) TO writ_admin;

REVOKE ALL ON FUNCTION writ.create_batch(callback_type text, callback_payload text, callback_environment text, callback_queue text, callback_priority integer) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.create_batch(callback_type text, callback_payload text, callback_environment text, callback_queue text, callback_priority integer) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.create_batch(callback_type text, callback_payload text, callback_environment text, callback_queue text, callback_priority integer) TO writ_admin;

REVOKE ALL ON FUNCTION writ.create_environment(name text, is_default boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.create_environment(name text, is_default boolean) TO writ_admin;

REVOKE ALL ON FUNCTION writ.digest(value text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.digest(value text) TO writ_admin;
GRANT ALL ON FUNCTION writ.digest(value text) TO writ_auditor;

REVOKE ALL ON FUNCTION writ.enqueue(type text, payload jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text, expires_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.enqueue(type text, payload jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text, expires_at timestamp with time zone) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.enqueue(type text, payload jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text, expires_at timestamp with time zone) TO writ_admin;

REVOKE ALL ON FUNCTION writ.enqueue(type text, payload text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text, expires_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.enqueue(type text, payload text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text, expires_at timestamp with time zone) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.enqueue(type text, payload text, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text, expires_at timestamp with time zone) TO writ_admin;

REVOKE ALL ON FUNCTION writ.enqueue_many(type text, payloads text[], batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.enqueue_many(type text, payloads text[], batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.enqueue_many(type text, payloads text[], batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) TO writ_admin;

REVOKE ALL ON FUNCTION writ.enqueue_many(type text, payloads jsonb, batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.enqueue_many(type text, payloads jsonb, batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.enqueue_many(type text, payloads jsonb, batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) TO writ_admin;

REVOKE ALL ON FUNCTION writ.enqueue_many(type text, payloads text, batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.enqueue_many(type text, payloads text, batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.enqueue_many(type text, payloads text, batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) TO writ_admin;

REVOKE ALL ON FUNCTION writ.grant_job_type(job_type text, role_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.grant_job_type(job_type text, role_name text) TO writ_admin;

REVOKE ALL ON FUNCTION writ.job_rows(job_id bigint, after bigint, at_most bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.job_rows(job_id bigint, after bigint, at_most bigint) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.job_rows(job_id bigint, after bigint, at_most bigint) TO writ_admin;

REVOKE ALL ON FUNCTION writ.job_workers(job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.job_workers(job_id bigint) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.job_workers(job_id bigint) TO writ_admin;
GRANT ALL ON FUNCTION writ.job_workers(job_id bigint) TO writ_auditor;

REVOKE ALL ON FUNCTION writ.pause_schedule(name text, environment text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.pause_schedule(name text, environment text) TO writ_admin;

REVOKE ALL ON FUNCTION writ.predecessor(job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.predecessor(job_id bigint) TO writ_admin;
GRANT ALL ON FUNCTION writ.predecessor(job_id bigint) TO writ_auditor;

REVOKE ALL ON FUNCTION writ.publish_job_type(spec jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.publish_job_type(spec jsonb) TO writ_admin;

REVOKE ALL ON FUNCTION writ.remove_schedule(name text, environment text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.remove_schedule(name text, environment text) TO writ_admin;

REVOKE ALL ON FUNCTION writ.replay(job_id bigint, force boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.replay(job_id bigint, force boolean) TO writ_admin;

REVOKE ALL ON FUNCTION writ.replay_plan(job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.replay_plan(job_id bigint) TO writ_admin;

REVOKE ALL ON FUNCTION writ.resume_schedule(name text, environment text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.resume_schedule(name text, environment text) TO writ_admin;

REVOKE ALL ON FUNCTION writ.revoke_job_type(job_type text, role_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.revoke_job_type(job_type text, role_name text) TO writ_admin;

REVOKE ALL ON FUNCTION writ.schedule_obstacles() FROM PUBLIC;
GRANT ALL ON FUNCTION writ.schedule_obstacles() TO writ_admin;

REVOKE ALL ON FUNCTION writ.set_limit(type text, environment text, concurrency integer, rate integer, per interval) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.set_limit(type text, environment text, concurrency integer, rate integer, per interval) TO writ_admin;

REVOKE ALL ON FUNCTION writ.status(job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ.status(job_id bigint) TO writ_enqueuer;
GRANT ALL ON FUNCTION writ.status(job_id bigint) TO writ_admin;
GRANT ALL ON FUNCTION writ.status(job_id bigint) TO writ_auditor;

REVOKE ALL ON FUNCTION writ_data.actor() FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.add_job(type text, definition_hash text, max_attempts integer, deadline interval, key_window interval, payload jsonb, subject text, recorded jsonb, run_at timestamp with time zone, priority integer, idempotency_key text, environment text, queue text, traceparent text, expires_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.add_many(type text, row_values jsonb[], batch_id bigint, closes_batch boolean, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text, OUT batch bigint, OUT jobs integer, OUT known integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.add_partitions(at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.add_rows(type writ_data.job_type, row_values jsonb[], first_place integer, batch_id bigint, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, environment text, queue text, traceparent text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.key_window(spec jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.adding_call(spec jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.admit_limits(ids bigint[], environment text, types text[], worker_id bigint, now timestamp with time zone, granted bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.admit_subjects(INOUT ids bigint[], environment text, worker_id bigint, now timestamp with time zone, OUT started bigint[], OUT blocked bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.bulk_type(type text, row_values jsonb[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.burst(rate_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.callback_payload(type text, payload jsonb, batch_id bigint, OUT filled jsonb, OUT counts jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.caller() FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.change_grant(job_type text, role_name text, is_granted boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.change_schedule(old writ_data.schedule, new writ_data.schedule, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.check_call(type text, environment text, queue text, traceparent text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.check_definition(spec jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.check_expiry(type text, expires_at timestamp with time zone, run_at timestamp with time zone, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.check_order(type text, payload jsonb, _text text, subject text, run_at timestamp with time zone, priority integer, idempotency_key text, expires_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.check_page(function_name text, field text, size bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.check_rows(type text, row_values jsonb[], first_place integer, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone, max_faults integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.check_schedule(name text, spec jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.check_type(type text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.checking_body(spec jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.count_running(environment text, type text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.counted(count integer, noun text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.describe_batch(batch writ_data.batch, OUT id bigint, OUT state text, OUT created_at timestamp with time zone, OUT created_by text, OUT closed_at timestamp with time zone, OUT finished_at timestamp with time zone, OUT jobs bigint, OUT scheduled bigint, OUT available bigint, OUT running bigint, OUT retryable bigint, OUT waiting bigint, OUT review bigint, OUT completed bigint, OUT discarded bigint, OUT cancelled bigint, OUT per_second numeric, OUT done_in interval, OUT callback_job_id bigint, OUT callback_state text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.digest(value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.earlier_key(ordered_by text, environment text, type text, key text, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.expire(max_jobs integer, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.field_checks(type text, input jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.field_json(input jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.native_type(kind text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.field_list(spec jsonb, with_types boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.field_text(input jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.find_schedules(name text, environment text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.finish_batches(now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.fire_schedule(now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.first_unfinished(batch_id bigint, from_id bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.forget_old_rows(now timestamp with time zone, max_rows integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.forget_rows(job_id bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.forget_workers(now timestamp with time zone, max_workers integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.form_rule(kind text, OUT rule text, OUT hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.generate(spec jsonb, old_signature text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.generator() FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.insert_schedule(schedule writ_data.schedule, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.is_portable_pattern(pattern text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.is_public_key(value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.join_batch(batch_id bigint, closes boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.keep_rows(job_id bigint, seq integer, rows jsonb, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.key_job(ordered_by text, environment text, type text, key text, id bigint, payload_digest bytea, now timestamp with time zone, free_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.limit_place(INOUT environment text, INOUT type text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.lock_gates(environment text, types text[], waits boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.log_schedule(event writ_data.audit_event_kind, schedule writ_data.schedule, now timestamp with time zone, recorded jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.looks_secret(value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.make_gates() FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.may_order(type text, role_name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.moment_of(wall timestamp without time zone, zone text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.next_firing(schedule writ_data.schedule, after timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.next_start(environment text, queue text, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.next_wall_time(minutes integer[], hours integer[], days integer[], is_last_day boolean, months integer[], weekdays integer[], matches_either_day boolean, after timestamp without time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.note_limit(environment text, type text, recorded jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.open_batch(callback_type text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.order_scheduled(schedule writ_data.schedule) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.ordered_inputs(inputs jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.park(ids bigint[], reason writ_data.waiting_reason, worker_id bigint, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.parked_types(environment text, queue text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.promote_user_actions(now timestamp with time zone, max_jobs integer, OUT promoted integer, OUT queues text[], OUT next_due_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.put_schedules(type text, specs jsonb, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.read_date_time(value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.read_json(value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.read_row_options(type text, row_value jsonb, run_at timestamp with time zone, priority integer, expires_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.read_rows(payloads text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.read_rows(payloads jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.read_schedule(type text, name text, spec jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.reading_body(spec jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.recorded(clear jsonb, digested jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.refusal(type text, field text, rule text, hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.refuse_batch(rule text, hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.refuse_job(rule text, hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.refuse_key(type text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.refuse_limit(field text, rule text, hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.refuse_rows(type text, faults writ_data.row_fault[], max_faults integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.refuse_type(type text, rule text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.regenerate_types() FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.remove_circuit(environment text, target text, worker_id bigint, role_name text, actor text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.replay_obstacle(job_id bigint, OUT rule text, OUT hint text, OUT is_forcible boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.room(environment text, types text[], granted bigint[], now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.row_option_names() FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.schedule_error(state text, message text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.schedule_obstacle(schedule writ_data.schedule) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.sees_all() FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.take_parked(environment text, queue text, max_jobs integer, now timestamp with time zone, OUT ids bigint[], OUT gates text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.typed_call(spec jsonb, as_text boolean, OUT parameters text, OUT signature text, OUT body text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.unpark_lifted(max_jobs integer, now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.unpark_subjects(environments text[], subjects text[], now timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_data.wake(queue text) FROM PUBLIC;

REVOKE ALL ON FUNCTION writ_worker.claim(worker_id bigint, queue text, environment text, max_jobs integer, lower_bounds bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.claim(worker_id bigint, queue text, environment text, max_jobs integer, lower_bounds bigint[]) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.close_circuit(worker_id bigint, environment text, target text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.close_circuit(worker_id bigint, environment text, target text) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.definition(hash text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.definition(hash text) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.definition_hash(type text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.definition_hash(type text) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.deregister(worker_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.deregister(worker_id bigint) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.fire_schedule() FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.fire_schedule() TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.installation() FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.installation() TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.open_circuit(worker_id bigint, environment text, target text, pause interval, silence interval, failed_jobs integer, error_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.open_circuit(worker_id bigint, environment text, target text, pause interval, silence interval, failed_jobs integer, error_code text) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.open_circuits(worker_id bigint, environments text[], answers jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.open_circuits(worker_id bigint, environments text[], answers jsonb) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.open_definitions(environment text, type text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.open_definitions(environment text, type text) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.record(worker_id bigint, entries jsonb, skips_locked boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.record(worker_id bigint, entries jsonb, skips_locked boolean) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.register(name text, host text, pid integer, version text, lease interval) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.register(name text, host text, pid integer, version text, lease interval) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.renew(worker_id bigint, lease interval, is_idle boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.renew(worker_id bigint, lease interval, is_idle boolean) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.report_keys(worker_id bigint, environments text[], keys jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.report_keys(worker_id bigint, environments text[], keys jsonb) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.set_idle(worker_id bigint, is_idle boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.set_idle(worker_id bigint, is_idle boolean) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.sweep(max_jobs integer) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.sweep(max_jobs integer) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.unpark(ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.unpark(ids bigint[]) TO writ_worker;

REVOKE ALL ON FUNCTION writ_worker.workers_without_key(environment text, type text, fingerprint text) FROM PUBLIC;
GRANT ALL ON FUNCTION writ_worker.workers_without_key(environment text, type text, fingerprint text) TO writ_worker;

GRANT SELECT ON TABLE writ.audit_event TO writ_admin;
GRANT SELECT ON TABLE writ.audit_event TO writ_auditor;

GRANT SELECT ON TABLE writ.circuit TO writ_admin;
GRANT SELECT ON TABLE writ.circuit TO writ_auditor;

GRANT SELECT ON TABLE writ.definition TO writ_admin;
GRANT SELECT ON TABLE writ.definition TO writ_auditor;

GRANT SELECT ON TABLE writ.environment TO writ_enqueuer;
GRANT SELECT ON TABLE writ.environment TO writ_admin;
GRANT SELECT ON TABLE writ.environment TO writ_auditor;

GRANT SELECT ON TABLE writ.installation TO writ_admin;
GRANT SELECT ON TABLE writ.installation TO writ_auditor;

GRANT SELECT ON TABLE writ.job TO writ_admin;

GRANT SELECT ON TABLE writ.job_summary TO writ_admin;
GRANT SELECT ON TABLE writ.job_summary TO writ_auditor;

GRANT SELECT ON TABLE writ.job_type TO writ_enqueuer;
GRANT SELECT ON TABLE writ.job_type TO writ_admin;
GRANT SELECT ON TABLE writ.job_type TO writ_auditor;

GRANT SELECT ON TABLE writ.journal TO writ_admin;

GRANT SELECT ON TABLE writ."limit" TO writ_admin;
GRANT SELECT ON TABLE writ."limit" TO writ_auditor;

GRANT SELECT ON TABLE writ.schedule TO writ_admin;

GRANT SELECT ON TABLE writ.worker TO writ_admin;
GRANT SELECT ON TABLE writ.worker TO writ_auditor;

GRANT SELECT ON TABLE writ.worker_key TO writ_admin;
GRANT SELECT ON TABLE writ.worker_key TO writ_auditor;

