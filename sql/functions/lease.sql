-- lease.sql: a worker's registration and lease.

-- register: a new worker with a lease of its own.
create or replace function writ_worker.register(name text, host text, pid int, version text, lease interval)
returns bigint
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
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

-- renew: move the end of a lease that has not expired. Null: it has, and never comes back.
create or replace function writ_worker.renew(worker_id bigint, lease interval,
is_idle boolean) returns timestamptz
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;

-- set_idle: say whether producers should wake this worker. Changes nothing of the lease.
create or replace function writ_worker.set_idle(worker_id bigint, is_idle boolean) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  update writ_data.worker as w
     set is_idle = $2
   where w.id = $1 and w.state = 'live' and w.is_idle is distinct from $2;
  return found;
end
$$;

-- deregister: end the lease at once. Jobs that it still holds are returned by the next sweep.
create or replace function writ_worker.deregister(worker_id bigint) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;

grant execute on function
  writ_worker.register(text, text, int, text, interval),
  writ_worker.renew(bigint, interval, boolean), writ_worker.set_idle(bigint, boolean),
  writ_worker.deregister(bigint)
to writ_worker;
