-- record.sql: what a worker writes about the jobs that it holds. Lock order: claim.sql.

-- record: what happened to jobs that this worker holds; one transaction for entries of many jobs.
-- Entries, in order: {"job", "attempt", "kind", …} with, by kind,
--   intent    seq, step, effect
--   outcome   seq, step, effect, result, status, error_code, duration_us, outputs, action, recorded,
--             digested, rows
--   complete  result, recorded, digested
--   discard   error              review     error, unresolved (left out: unless there is an outcome)
--   retry     delay_us, burns, unresolved, error
--   user_action  delay_us, error, action: {"url", "deadline_us"}; the address goes to the job's row and
--             nowhere else
--   cancel                       hand_back  unresolved
-- Fence: an entry counts only while its job is running under this worker with this attempt, and the
-- worker's lease has not ended. Anything else is answered with accepted = false: the lease has
-- passed on, stop.
-- A journal row that has its outcome stays as it is, unless its action is to try again: then the
-- next try takes its place, and the trail keeps both. So a batch that is sent again after its
-- answer was lost changes nothing; an entry for a job that has ended is not accepted.
-- Rows of a job come in with the outcome of the step that read them; their number goes into the
-- member `rows` of its result, and of what the trail keeps of that.
-- Locks: job rows by id, then slots. Waits half a second for a job that somebody else holds (an
-- administrator who cancels it in a transaction that he leaves open), and then gives up with
-- SQLSTATE 55P03; with `skips_locked` it leaves such jobs out and answers accepted = null: send again. No gate: until this is committed its jobs are counted as
-- running, which errs on the safe side; the worker has a free slot then and claims.
-- Plans: every access to a hot table names ids as an array, so that a plan made for an empty table
-- stays an index scan when it is not empty any more.
-- Returns: one row a job, with whether a person has asked to cancel it.
drop function if exists writ_worker.record(bigint, jsonb);
create or replace function writ_worker.record(
  worker_id bigint, entries jsonb, skips_locked boolean default false
) returns table (job_id bigint, accepted boolean, cancel_requested boolean)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
set lock_timeout = '500ms'
as $$
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
$$;

grant execute on function writ_worker.record(bigint, jsonb, boolean) to writ_worker;
