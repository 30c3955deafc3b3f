-- circuit.sql: circuit breakers. While the circuit of a target is open, each type whose jobs call it
-- starts one job in a pause, over the whole fleet (limit_in_force); the others are parked like those
-- that a rate holds back, and use up no attempt. docs/failures.md tells the same to people.

-- open_circuit: a worker has seen nothing but failures of a target for `silence`, of this many jobs.
-- Returns what came of it: `open` (by this call or before), `lease_ended`, `no_type_calls_it` (no type as it is
-- published now, or it was published before types told their targets), or `others_get_through`: another worker
-- had an answer in that time, so it is the asking one that has lost its way.
-- Locks: none that a person's transaction may hold: a circuit that somebody is about to close is open until he
-- commits, and gates are made ahead (make_gates).
create or replace function writ_worker.open_circuit(
  worker_id bigint, environment text, target text, pause interval, silence interval,
  failed_jobs int, error_code text
) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
set lock_timeout = '500ms'
as $$
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
$$;

-- remove_circuit: jobs start as before; what is parked comes back with the next sweeps, a bounded
-- number with each. Returns whether it was open.
create or replace function writ_data.remove_circuit(
  environment text, target text, worker_id bigint, role_name text, actor text
) returns boolean
language plpgsql
as $$
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
$$;

-- close_circuit: the target has answered a job of this worker. Returns whether this call closed it: not where
-- somebody else is just doing so.
create or replace function writ_worker.close_circuit(
  worker_id bigint, environment text, target text
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
as $$
#variable_conflict use_column
begin
  perform
     from writ_data.circuit as c
    where c.environment = $2 and c.target = $3
      for update skip locked;
  return found and writ_data.remove_circuit($2, $3, $1, session_user, null);
end
$$;

-- open_circuits: those that are open in these environments. `answers` are the targets that have answered
-- this worker since it asked last: [{environment, target}].
-- Locks: rows of target_answer that no other worker writes.
create or replace function writ_worker.open_circuits(
  worker_id bigint, environments text[], answers jsonb
) returns table (environment text, target text)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
as $$
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
$$;

-- close_circuit: a person says that the target answers again, or that the jobs shall be tried all the same.
-- No environment is the default one. Returns whether the circuit was open.
create or replace function writ.close_circuit(target text, environment text default null)
returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;

create or replace view writ.circuit as
select c.environment, c.target, c.opened_at, c.pause, c.error_code, c.failed_jobs,
       c.worker_id as opened_by_worker,
       array(
         select t.name from writ_data.job_type as t where c.target = any (t.targets) order by t.name
       ) as types,
       (
         select count(*)
           from writ_data.job as j
           join writ_data.job_type as t on t.name = j.type
          where j.environment = c.environment and c.target = any (t.targets)
            and j.state = 'waiting' and j.waiting_reason in ('concurrency', 'rate')
       ) as parked
  from writ_data.circuit as c;
comment on view writ.circuit
  is 'Targets that have stopped answering, and how many jobs are parked because of them or of a limit.';

grant execute on function
  writ_worker.open_circuit(bigint, text, text, interval, interval, int, text),
  writ_worker.close_circuit(bigint, text, text),
  writ_worker.open_circuits(bigint, text[], jsonb)
to writ_worker;
grant execute on function writ.close_circuit(text, text) to writ_admin;
grant select on writ.circuit to writ_admin, writ_auditor;
