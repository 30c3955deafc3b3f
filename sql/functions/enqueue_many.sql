-- enqueue_many.sql: many jobs of one type in one call. Each row passes the same functions as a
-- single order (object_t of its type, check_order), so that it is refused for the same reasons and
-- stored in the same form; what is saved is everything that a single order does once a job: the
-- calls around it, an insert of one row into each table, the look for idle workers.
-- A row is an object of the fields of the type and, beside them, its own options. No field can have
-- the name of an option (check_definition).
-- Memory: a slice of 10,000 rows at a time, besides the argument itself.

-- Which options a row may have.
create or replace function writ_data.row_option_names() returns text[]
language sql immutable
return '{run_at,priority,idempotency_key,expires_at}'::text[];

-- The options of a row; what it leaves out is that of the call. Raises WR003 for a wrong form.
create or replace function writ_data.read_row_options(
  type text, row_value jsonb, run_at timestamptz, priority int, expires_at timestamptz
) returns writ_data.row_options
language plpgsql stable
as $$
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

-- check_rows: what is wrong with these rows, one by one; stops after `max_faults`. `first_place` is
-- the number of the first row.
create or replace function writ_data.check_rows(
  type text, row_values jsonb[], first_place int, run_at timestamptz, priority int,
  expires_at timestamptz, max_faults int
) returns writ_data.row_fault[]
language plpgsql stable
as $$
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
$$;

-- Raises the first fault with the number of its row; the others stand in the detail. The sentences
-- name types, fields and rules, and never a value.
create or replace function writ_data.refuse_rows(
  type text, faults writ_data.row_fault[], max_faults int
) returns void
language plpgsql
as $$
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

-- add_rows: check and store one slice. Returns how many jobs are new.
-- Locks: key_job's, in the order of the keys, so that two callers with the same keys do not
-- deadlock; within one call of this, so that with more rows than a slice of add_many they may.
create or replace function writ_data.add_rows(
  type writ_data.job_type, row_values jsonb[], first_place int, batch_id bigint,
  run_at timestamptz, priority int, expires_at timestamptz, environment text, queue text,
  traceparent text
) returns int
language plpgsql
as $$
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
$$;

-- What enqueue_many and check_many look at before the rows. Returns the row of the type.
create or replace function writ_data.bulk_type(type text, row_values jsonb[])
returns writ_data.job_type
language plpgsql stable
as $$
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
$$;

-- The rows of a JSON array; null for anything else.
create or replace function writ_data.read_rows(payloads jsonb) returns jsonb[]
language sql immutable
return case jsonb_typeof(payloads)
  when 'array' then array(
    select value from jsonb_array_elements(payloads) with ordinality as e (value, place)
     order by place
  )
end;

-- The rows of texts, one an object; null in the place of a text that is no JSON.
create or replace function writ_data.read_rows(payloads text[]) returns jsonb[]
language plpgsql immutable
as $$
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

create or replace function writ_data.add_many(
  type text, row_values jsonb[], batch_id bigint, closes_batch boolean, run_at timestamptz,
  priority int, expires_at timestamptz, environment text, queue text, traceparent text,
  out batch bigint, out jobs int, out known int
)
language plpgsql
as $$
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

-- enqueue_many: order many jobs of one type in the caller's transaction: all of them, or none.
-- Each row is an object of the fields of the type; beside them it may have run_at, priority,
-- idempotency_key and expires_at, which go before those of the call. The jobs are one batch: a new
-- one, closed at once, or `batch_id`, one of the caller's that is still open.
-- Refused with the number and field of the first wrong row; the detail lists up to a hundred.
-- Returns one row: the batch, how many jobs are new, and how many rows had an idempotency key that
-- stands for a job already.
create or replace function writ.enqueue_many(
  type text, payloads jsonb, batch_id bigint default null, closes_batch boolean default false,
  run_at timestamptz default null, priority int default null, expires_at timestamptz default null,
  environment text default null, queue text default null, traceparent text default null,
  out batch bigint, out jobs int, out known int
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  select m.* into batch, jobs, known
    from writ_data.add_many(
           type, writ_data.read_rows(payloads), batch_id, closes_batch, run_at, priority,
           expires_at, environment, queue, traceparent
         ) as m;
end
$$;

-- The same for a text, or a bare literal, that holds the JSON array.
create or replace function writ.enqueue_many(
  type text, payloads text, batch_id bigint default null, closes_batch boolean default false,
  run_at timestamptz default null, priority int default null, expires_at timestamptz default null,
  environment text default null, queue text default null, traceparent text default null,
  out batch bigint, out jobs int, out known int
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  select m.* into batch, jobs, known
    from writ_data.add_many(
           type, writ_data.read_rows(writ_data.read_json(payloads)), batch_id, closes_batch,
           run_at, priority, expires_at, environment, queue, traceparent
         ) as m;
end
$$;

-- The same for one text an object, such as the lines of an NDJSON file.
create or replace function writ.enqueue_many(
  type text, payloads text[], batch_id bigint default null, closes_batch boolean default false,
  run_at timestamptz default null, priority int default null, expires_at timestamptz default null,
  environment text default null, queue text default null, traceparent text default null,
  out batch bigint, out jobs int, out known int
)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  select m.* into batch, jobs, known
    from writ_data.add_many(
           type, writ_data.read_rows(payloads), batch_id, closes_batch, run_at, priority,
           expires_at, environment, queue, traceparent
         ) as m;
end
$$;

-- check_many: what enqueue_many would refuse in these rows, one row a fault, at most a hundred;
-- orders nothing. It does not look at idempotency keys that were used before.
create or replace function writ.check_many(
  type text, payloads text[], run_at timestamptz default null, priority int default null,
  expires_at timestamptz default null
) returns table (place int, code text, field text, message text, hint text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
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

grant execute on function
  writ.enqueue_many(
    text, jsonb, bigint, boolean, timestamptz, int, timestamptz, text, text, text
  ),
  writ.enqueue_many(
    text, text, bigint, boolean, timestamptz, int, timestamptz, text, text, text
  ),
  writ.enqueue_many(
    text, text[], bigint, boolean, timestamptz, int, timestamptz, text, text, text
  ),
  writ.check_many(text, text[], timestamptz, int, timestamptz)
to writ_enqueuer, writ_admin;
