-- circuit.sql: circuit breakers. While the circuit of a target is open, each type whose jobs call it
-- starts one job in a pause, over the whole fleet (limit_in_force); the others are parked like those
-- that a rate holds back, and use up no attempt. docs/failures.md tells the same to people.

-- fleet_gets_through: whether another worker has lately done a step of these types, among the last
-- thousand events. Then it is the asking worker that has lost its way, not the target.
-- Index: audit_event's key, from its end.
create or replace function writ_data.fleet_gets_through(
  asker bigint, environment text, types text[], since timestamptz
) returns boolean
language plpgsql
as $$
#variable_conflict use_column
begin
  return exists (
    select
      from (
        select e.occurred_at, e.worker_id, e.event, e.outcome, e.environment, e.type
          from writ_data.audit_event as e
         order by e.id desc
         limit 1000
      ) as recent
     where recent.event = 'step' and recent.outcome = 'succeeded' and recent.worker_id <> $1
       and recent.environment = $2 and recent.type = any ($3) and recent.occurred_at > $4
  );
end
$$;

-- open_circuit: a worker has seen nothing but failures of a target for `silence`, of this many jobs.
-- Returns whether the circuit is open now: not if no published type calls the target, if another
-- worker gets through, or if the lease has ended.
create or replace function writ_worker.open_circuit(
  worker_id bigint, environment text, target text, pause interval, silence interval,
  failed_jobs int, error_code text
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
  _types constant text[] := array(
    select t.name from writ_data.job_type as t where $3 = any (t.targets)
  );
begin
  if _types = '{}'
    or not exists (
      select
        from writ_data.worker as w
       where w.id = $1 and w.state = 'live' and w.lease_expires_at > _now
    )
    or writ_data.fleet_gets_through($1, $2, _types, _now - $5)
  then
    return false;
  end if;
  insert into writ_data.circuit (
    opened_at, pause, worker_id, failed_jobs, environment, target, error_code
  )
  values (_now, $4, $1, $6, $2, $3, left($7, 100))
  on conflict on constraint circuit_pkey do nothing;
  if found then
    perform writ_data.make_gates();
    insert into writ_data.audit_event (
      occurred_at, event, worker_id, environment, role_name, error_code, recorded
    )
    values (
      _now, 'circuit_opened', $1, $2, session_user, left($7, 100),
      jsonb_build_object('target', $3, 'failed_jobs', $6)
    );
  end if;
  return true;
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

-- close_circuit: the target has answered a job of this worker.
create or replace function writ_worker.close_circuit(
  worker_id bigint, environment text, target text
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return writ_data.remove_circuit($2, $3, $1, session_user, null);
end
$$;

-- open_circuits: those that are open in these environments.
create or replace function writ_worker.open_circuits(environments text[])
returns table (environment text, target text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select c.environment, c.target
      from writ_data.circuit as c
     where c.environment = any ($1)
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
  writ_worker.close_circuit(bigint, text, text), writ_worker.open_circuits(text[])
to writ_worker;
grant execute on function writ.close_circuit(text, text) to writ_admin;
grant select on writ.circuit to writ_admin, writ_auditor;
