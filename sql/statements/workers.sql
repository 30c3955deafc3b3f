-- workers: newest first, at most $1.
select id, name, host, pid, version, state, is_idle, started_at, heartbeat_at, lease_expires_at,
       ended_at
  from writ.worker
 order by id desc
 limit $1
