-- batch.sql: batches: jobs that were ordered together, and the one job that is ordered when they
-- are done. A batch is open (jobs can join it), then closed, then finished: no job of it is
-- unfinished. The callback of a batch is a job from the start, made and checked when the batch is
-- made; it waits, and the sweeper makes it available when the batch is finished. So it is ordered
-- exactly once, by the role that made the batch and with the definition of that time.
-- Who counts: nobody, while jobs run. The sweeper looks for the first unfinished job of each closed
-- batch, from where it found it last; workers write nothing about batches.

-- Refuses with WR008: no such batch for this caller, or a batch in the wrong state.
create or replace function writ_data.refuse_batch(rule text, hint text) returns void
language plpgsql
as $$
begin
  raise exception using errcode = 'WR008', column = 'batch_id', message = rule, hint = hint;
end
$$;

-- A new batch of the caller.
create or replace function writ_data.open_batch(callback_type text default null) returns bigint
language plpgsql
as $$
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

-- join_batch: the caller's batch is open, and stays so until this transaction has ended.
-- Locks: the row of the batch, shared with others who join it; who closes it waits for them. Who means
-- to close it in this transaction takes it for himself at once: of two who share it, each would wait
-- for the other.
drop function if exists writ_data.join_batch(bigint);
create or replace function writ_data.join_batch(batch_id bigint, closes boolean) returns void
language plpgsql
as $$
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
$$;

-- callback_payload: the words of a callback's payload that stand for what is known of the batch.
-- "$batch.id" is its number. "$batch.jobs", "$batch.completed", "$batch.discarded" and
-- "$batch.cancelled" are counts: 0 until the batch is finished, so a field that takes one must be an
-- integer that may have any value from 0 on, and no part of the subject.
create or replace function writ_data.callback_payload(
  type text, payload jsonb, batch_id bigint, out filled jsonb, out counts jsonb
)
language plpgsql stable
as $$
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
$$;

-- create_batch: a batch that jobs can join until it is closed, in the caller's transaction. With a
-- callback: a job that is ordered now, by the caller and with all the checks of an order, and runs
-- when the batch is finished. Returns the number of the batch.
create or replace function writ.create_batch(
  callback_type text default null, callback_payload text default null,
  callback_environment text default null, callback_queue text default null,
  callback_priority int default null
) returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
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

-- close_batch: no more jobs can join. Returns whether it was open.
-- Locks: the row of an open batch: waits for transactions that have joined it. That of a closed one is
-- left alone.
create or replace function writ.close_batch(batch_id bigint) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;

-- finish_batches: of the closed batches, finish those without an unfinished job, and let their
-- callbacks run. Part of the sweep, so one at a time. Looks at up to 1,000 batches, with one probe
-- of job_batch for each; when there are more, the next sweep goes on where this one stopped.
-- Locks: the row of a batch and its callback, with skip locked: somebody's transaction may hold them
-- for hours, and no sweep waits for anybody.
create or replace function writ_data.finish_batches(now timestamptz) returns int
language plpgsql
as $$
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
$$;

-- The lowest number of an unfinished job of a batch, from a number on; null if there is none.
create or replace function writ_data.first_unfinished(batch_id bigint, from_id bigint) returns bigint
language plpgsql
as $$
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
$$;

-- describe_batch: a batch in one row. While it is not finished, its jobs are counted anew.
-- `per_second` is the rate of the last minute at which its jobs finished, and `done_in` what the
-- rest takes at that rate; jobs that wait for a person may take longer.
create or replace function writ_data.describe_batch(
  batch writ_data.batch,
  out id bigint, out state text, out created_at timestamptz, out created_by text,
  out closed_at timestamptz, out finished_at timestamptz, out jobs bigint, out scheduled bigint,
  out available bigint, out running bigint, out retryable bigint, out waiting bigint,
  out review bigint, out completed bigint, out discarded bigint, out cancelled bigint,
  out per_second numeric, out done_in interval, out callback_job_id bigint,
  out callback_state text
)
language plpgsql stable
as $$
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

-- Refuses with WR003 a page without room for anything: the answer would look like the end.
create or replace function writ_data.check_page(function_name text, field text, size bigint)
returns void
language plpgsql immutable
as $$
begin
  if size < 1 then
    raise exception using
      errcode = 'WR003', column = field,
      message = function_name || ': ' || field || ' must be at least 1',
      hint = 'Leave it out for the default.';
  end if;
end
$$;

-- Whether the caller may see the batches of another role.
create or replace function writ_data.sees_all() returns boolean
language sql stable
begin atomic
  select pg_catalog.pg_has_role(writ_data.caller(), 'writ_admin', 'member')
      or pg_catalog.pg_has_role(writ_data.caller(), 'writ_auditor', 'member');
end;

-- batch_status: how far a batch of the caller has come; administrators and auditors may ask about
-- any.
create or replace function writ.batch_status(batch_id bigint)
returns table (
  id bigint, state text, created_at timestamptz, created_by text, closed_at timestamptz,
  finished_at timestamptz, jobs bigint, scheduled bigint, available bigint, running bigint,
  retryable bigint, waiting bigint, review bigint, completed bigint, discarded bigint,
  cancelled bigint, per_second numeric, done_in interval, callback_job_id bigint,
  callback_state text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;

-- batches: the newest batches of the caller, at most 1,000; of everybody for administrators and
-- auditors.
create or replace function writ.batches(max_batches int default 50)
returns table (
  id bigint, state text, created_at timestamptz, created_by text, closed_at timestamptz,
  finished_at timestamptz, jobs bigint, scheduled bigint, available bigint, running bigint,
  retryable bigint, waiting bigint, review bigint, completed bigint, discarded bigint,
  cancelled bigint, per_second numeric, done_in interval, callback_job_id bigint,
  callback_state text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;

-- batch_jobs: the jobs of a batch in the order in which they were ordered, a page of at most 10,000
-- at a time; with a state, only those.
create or replace function writ.batch_jobs(
  batch_id bigint, only_state text default null, after bigint default 0, max_jobs int default 1000
) returns table (
  job_id bigint, state text, waiting_reason text, idempotency_key text, finished_at timestamptz,
  error_code text
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;

grant execute on function
  writ.create_batch(text, text, text, text, int), writ.close_batch(bigint)
to writ_enqueuer, writ_admin;
grant execute on function
  writ.batch_status(bigint), writ.batches(int), writ.batch_jobs(bigint, text, bigint, int)
to writ_enqueuer, writ_admin, writ_auditor;
