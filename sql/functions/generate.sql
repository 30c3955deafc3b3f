-- generate.sql: the functions of a job type, from its definition.
-- Generated for a type t, all owned by writ_owner (nothing else in writ_data may begin with fields_,
-- object_, enqueue_ or json_; names of our own inside begin with _, which no input does):
--   writ_data.fields_t   checks and normalizes the fields, builds payload, subject and what the
--                        trail shows; the only place where the rules of the type stand
--   writ_data.object_t   takes the fields out of one jsonb, refuses unknown ones, calls fields_t
--   writ_data.enqueue_t  calls fields_t and ends in add_job
--   writ_data.json_t     calls object_t and ends in add_job; orders in bulk call object_t for each row
--   writ.t               the typed call, one parameter a field and the options; calls enqueue_t
--   writ.t               the same with uuid, timestamptz and jsonb fields as text, if there are any:
--                        a bare literal prefers it, so that we refuse a wrong one, and not a
--                        cast whose error would quote it
-- Nothing of a definition is ever pasted: names must match ^[a-z][a-z0-9_]*$ and are quoted with
-- %I, every text goes through %L, every number is cast first.

-- Raises WR009: the definition cannot become a function.
create or replace function writ_data.refuse_type(type text, rule text) returns void
language plpgsql
as $$
begin
  raise exception using
    errcode = 'WR009', message = coalesce(type, 'job type') || ': ' || rule,
    hint = 'writ types check names the place in the file.';
end
$$;

-- The SQL type of a kind of input; null for a kind that we do not know.
create or replace function writ_data.native_type(kind text) returns text
language sql immutable
return case kind
  when 'string' then 'text' when 'email' then 'text' when 'uri' then 'text'
  when 'public_key' then 'text'
  when 'uuid' then 'uuid' when 'date_time' then 'timestamptz'
  when 'integer' then 'bigint' when 'number' then 'numeric' when 'boolean' then 'boolean'
  when 'string_array' then 'text[]' when 'uuid_array' then 'uuid[]'
    when 'integer_array' then 'bigint[]'
  when 'json' then 'jsonb'
end;

-- The statement that refuses a field: `email must be an e-mail address`.
create or replace function writ_data.refusal(type text, field text, rule text, hint text) returns text
language sql immutable
return format(
  E'    raise exception using errcode = ''WR001'', column = %L, message = %L,\n      hint = %L;\n',
  field, type || ': ' || field || ' ' || rule, hint
);

-- A number of things in a sentence: `1 attempt`, `2 attempts`.
create or replace function writ_data.counted(count int, noun text) returns text
language sql immutable
return count || ' ' || noun || case when count = 1 then '' else 's' end;

-- The rule in words, and the hint, for a value that does not have the form of its kind, or of its
-- json_type.
create or replace function writ_data.form_rule(kind text, out rule text, out hint text)
language sql immutable
begin atomic
  select form.rule, form.hint
    from (
      values
        ('string', 'must be a text', 'Pass a JSON string.'),
        ('email', 'must be an e-mail address',
          'Pass an address such as name@example.com: no spaces, at most 254 characters.'),
        ('uri', 'must be an absolute URI', 'Pass a URI such as https://example.com/path.'),
        ('public_key', 'must be a public key of writ keys generate',
          'Pass the whole line that begins with writ-public-v1-; the private key stays with you.'),
        ('uuid', 'must be a UUID', 'Pass 32 hex digits as 8-4-4-4-12.'),
        ('date_time', 'must be a date and time with an offset',
        'Pass RFC 3339, such as 2030-01-31T09:30:00Z.'),
        ('integer', 'must be an integer', 'Pass a whole number of at most 64 bits.'),
        ('number', 'must be a number', 'Pass a finite JSON number.'),
        ('boolean', 'must be true or false', 'Pass a boolean.'),
        ('string_array', 'must be a list of texts', 'Pass an array of strings without nulls.'),
        ('uuid_array', 'must be a list of UUIDs', 'Pass an array of UUIDs without nulls.'),
        ('integer_array', 'must be a list of integers',
        'Pass an array of whole numbers without nulls.'),
        ('json', 'must be JSON', 'Pass a well-formed JSON value.'),
        ('object', 'must be an object', 'Pass a JSON object.'),
        ('array', 'must be a list', 'Pass a JSON array.')
    ) as form (kind, rule, hint)
   where form.kind = form_rule.kind;
end;

-- Refuses a pattern that this database cannot read, or that could mean something else to others.
-- Allowed: literals, ., [] with ranges, ^ $ ? * + {n,m} |, ( ) and (?: ), \d \w \s, escaped punctuation,
-- \uXXXX and \UXXXXXXXX.
create or replace function writ_data.is_portable_pattern(pattern text) returns boolean
language plpgsql immutable
as $$
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
$$;

-- Checks the inputs, the subject and the settings of a definition before anything is generated.
create or replace function writ_data.check_definition(spec jsonb) returns void
language plpgsql
as $$
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
$$;

-- The lines of enqueue_t that check and normalize one field, already of its native type.
create or replace function writ_data.field_checks(type text, input jsonb) returns text
language plpgsql
as $$
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
$$;

-- The expression that puts a field of its native type into a payload.
create or replace function writ_data.field_json(input jsonb) returns text
language sql immutable
return case input ->> 'kind'
  when 'date_time' then format(
    'to_char("%s" at time zone ''UTC'', ''YYYY-MM-DD"T"HH24:MI:SS.US"Z"'')', input ->> 'name'
  )
  else format('"%s"', input ->> 'name')
end;

-- The expression that makes a text of a field, for the subject and for digests.
create or replace function writ_data.field_text(input jsonb) returns text
language sql immutable
return case input ->> 'kind'
  when 'date_time' then writ_data.field_json(input)
  else format('"%s"::text', input ->> 'name')
end;

-- The parameters of enqueue_t and fields_t that are fields, or their names.
create or replace function writ_data.field_list(spec jsonb, with_types boolean) returns text
language sql immutable
return coalesce(
  (
    select string_agg(
             format('"%s"', i.value ->> 'name') || case
               when with_types then ' ' || writ_data.native_type(i.value ->> 'kind') else ''
             end,
             ', ' order by i.position
           )
      from jsonb_array_elements(spec -> 'inputs') with ordinality as i (value, position)
  ),
  ''
);

-- How long an idempotency key of this type stands for its job.
create or replace function writ_data.key_window(spec jsonb) returns interval
language sql immutable
return coalesce(
  make_interval(secs => (spec ->> 'key_window_seconds')::double precision), interval '720 hours'
);

-- The call of add_job for what a variable _checked holds.
create or replace function writ_data.adding_call(spec jsonb) returns text
language sql immutable
return format(
  E'  return writ_data.add_job(\n    %L, %L, %s, %s, %L::interval, _checked.payload,\n'
  '    _checked.subject, writ_data.recorded(_checked.clear, _checked.digested), run_at, priority,\n'
  '    idempotency_key, environment, queue, traceparent, expires_at\n  );\n',
  spec ->> 'name', spec ->> 'hash', (spec ->> 'max_attempts')::int,
  coalesce(
    quote_literal(make_interval(secs => (spec ->> 'deadline_seconds')::double precision))
      || '::interval',
    'null'
  ),
  writ_data.key_window(spec)
);

-- The body of fields_t.
create or replace function writ_data.checking_body(spec jsonb) returns text
language plpgsql
as $$
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

-- The body of object_t: fields out of one object, the same words for what has the wrong kind.
create or replace function writ_data.reading_body(spec jsonb) returns text
language plpgsql
as $$
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
$$;

-- Body and parameters of the typed functions. `as_text` makes the second one.
create or replace function writ_data.typed_call(
  spec jsonb, as_text boolean, out parameters text, out signature text, out body text
)
language plpgsql
as $$
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
$$;

-- The inputs in the order of the parameters: one that tells the overloads apart first, then the
-- required ones, then the optional ones, each in the order of the document.
create or replace function writ_data.ordered_inputs(inputs jsonb) returns jsonb
language sql immutable
begin atomic
  select coalesce(
           jsonb_agg(
             value order by
               position = coalesce(first_as_text, 0) desc,
               coalesce((value ->> 'required')::boolean, false) desc, position
           ),
           '[]'
         )
    from jsonb_array_elements(inputs) with ordinality as i (value, position),
         lateral (
           select (
             select position
               from jsonb_array_elements(inputs) with ordinality as c (value, position)
              where value ->> 'kind' in ('uuid', 'date_time', 'json')
              order by coalesce((value ->> 'required')::boolean, false) desc, position
              limit 1
           )
         ) as lead (first_as_text);
end;

-- Generates the functions of a type; grants on the typed ones survive, also when the parameters
-- change.
create or replace function writ_data.generate(spec jsonb, old_signature text) returns text
language plpgsql
as $$
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
