-- workers_without_key: live workers of environment $1 that show another key of type $2 than the one
-- with fingerprint $3, or have not said yet which keys they have.
select worker_id, name, host, prefix, has_reported
  from writ_worker.workers_without_key($1, $2, $3)
