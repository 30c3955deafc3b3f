-- enqueue.sql: how a job comes in. The typed functions that publishing generates (generate.sql) check
-- and normalize the fields and end in writ_data.add_job; writ.enqueue takes the payload as one jsonb
-- and ends there too.
-- Errors never carry a value: not in the message, not in the detail (no constraint is ever reached
-- with a wrong value), not in the context (no statement text is built from values).

-- The form in which an event shows what it may: clear fields as they are, the others as keyed
-- digests.
create or replace function writ_data.recorded(clear jsonb, digested jsonb) returns jsonb
language plpgsql stable
as $$
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

-- An RFC 3339 time with an offset; null for anything else. The block is there for the 30th of
-- February: the cast's own error would quote the value.
create or replace function writ_data.read_date_time(value text) returns timestamptz
language plpgsql stable
as $$
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
$$;

-- A JSON text; SQL null for anything else.
create or replace function writ_data.read_json(value text) returns jsonb
language plpgsql immutable
as $$
begin
  return value::jsonb;
exception
  when data_exception or program_limit_exceeded then return null;
end
$$;

-- Wakes idle workers of a queue when this transaction commits; costs nothing while all are busy.
create or replace function writ_data.wake(queue text) returns void
language plpgsql
as $$
begin
  if exists (select from writ_data.worker where is_idle and state = 'live') then
    perform pg_notify('writ_wake', queue);
  end if;
end
$$;

-- earlier_key: what a key of before migration 9 stands for, if it is still this role's own. Such a key
-- belongs to the role of its job; whose job has left with its month has no role any more.
create or replace function writ_data.earlier_key(
  ordered_by text, environment text, type text, key text, now timestamptz
) returns writ_data.earlier_idempotency_key
language sql stable
as $$
  select k.*
    from writ_data.earlier_idempotency_key as k
   where k.environment = $2 and k.type = $3 and k.key = $4
     and k.created_at > $5 - interval '720 hours'
     and $1 = coalesce(
           (select j.enqueued_by from writ_data.job as j where j.id = k.job_id),
           (select h.enqueued_by from writ_data.job_history as h where h.id = k.job_id limit 1)
         )
$$;

-- refuse_key: one key with two payloads.
create or replace function writ_data.refuse_key(type text) returns void
language plpgsql
as $$
begin
  raise exception using
    errcode = 'WR006', column = 'idempotency_key',
    message = type || ': idempotency_key was used before with another payload',
    hint = 'One key stands for one job: use a new key, or pass the same fields.';
end
$$;

-- key_job: which job this key of a role stands for: `id`, the new one, if the key is free. It is
-- free when nobody used it, and from free_at on, whether or not the row is still there.
-- Locks: the row of the key, when it is new or taken over; so a caller waits only for another one
-- with the same key.
create or replace function writ_data.key_job(
  ordered_by text, environment text, type text, key text, id bigint, payload_digest bytea,
  now timestamptz, free_at timestamptz
) returns bigint
language plpgsql
as $$
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
$$;

-- check_order: what is checked of every order, whatever its type: payload, subject, and the options
-- that may differ between the rows of one call. `_text` is the payload as text.
create or replace function writ_data.check_order(
  type text, payload jsonb, _text text, subject text, run_at timestamptz, priority int,
  idempotency_key text, expires_at timestamptz
) returns void
language plpgsql
as $$
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

-- check_call: what is checked once a call: the queue, the trace, the actor. Returns the environment.
create or replace function writ_data.check_call(
  type text, environment text, queue text, traceparent text
) returns text
language plpgsql stable
as $$
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
$$;

-- check_expiry: a job that expires before it could start is not taken.
create or replace function writ_data.check_expiry(
  type text, expires_at timestamptz, run_at timestamptz, now timestamptz
) returns void
language plpgsql
as $$
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

-- add_job: store one checked job, with its event, in the caller's transaction.
-- The deadline is expires_at, or else `deadline` after the job may run first.
-- Locks: key_job's and no other.
-- The transaction id is taken before the place in the line is drawn: a worker's cursor may pass a
-- place only when every transaction that could still fill it has an id that its snapshot knows.
drop function if exists writ_data.add_job(
  text, text, int, interval, jsonb, text, jsonb, timestamptz, int, text, text, text, text
);
create or replace function writ_data.add_job(
  type text, definition_hash text, max_attempts int, deadline interval, key_window interval,
  payload jsonb, subject text, recorded jsonb,
  run_at timestamptz, priority int, idempotency_key text, environment text, queue text,
  traceparent text, expires_at timestamptz
) returns bigint
language plpgsql
as $$
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

-- Whether the caller may order jobs of this type: EXECUTE on one of its typed functions says so.
create or replace function writ_data.may_order(type text, role_name text) returns boolean
language sql stable
begin atomic
  select exists (
    select
      from pg_catalog.pg_proc as f
     where f.pronamespace = 'writ'::pg_catalog.regnamespace
       and f.proname = may_order.type
       and pg_catalog.has_function_privilege(may_order.role_name, f.oid, 'execute')
  );
end;

-- check_type: the type is there, and the caller may order it.
create or replace function writ_data.check_type(type text) returns void
language plpgsql stable
as $$
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
$$;

drop function if exists writ.enqueue(text, jsonb, timestamptz, int, text, text, text, text);
drop function if exists writ.enqueue(text, text, timestamptz, int, text, text, text, text);

-- enqueue: order a job of any type with its fields as one object, in the caller's transaction.
-- Same checks as the typed function; the caller needs EXECUTE on that one.
create or replace function writ.enqueue(
  type text, payload jsonb, run_at timestamptz default null, priority int default null,
  idempotency_key text default null, environment text default null, queue text default null,
  traceparent text default null, expires_at timestamptz default null
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;

-- The same for a payload that is a text or a bare literal: PostgreSQL's own cast would quote it in
-- its error.
create or replace function writ.enqueue(
  type text, payload text, run_at timestamptz default null, priority int default null,
  idempotency_key text default null, environment text default null, queue text default null,
  traceparent text default null, expires_at timestamptz default null
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return writ.enqueue(
    type, writ_data.read_json(payload), run_at, priority, idempotency_key, environment, queue,
    traceparent, expires_at
  );
end
$$;

grant execute on function
  writ.enqueue(text, jsonb, timestamptz, int, text, text, text, text, timestamptz),
  writ.enqueue(text, text, timestamptz, int, text, text, text, text, timestamptz)
to writ_enqueuer, writ_admin;
