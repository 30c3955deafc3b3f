-- circuits: targets that have stopped answering.
select environment, target, opened_at, pause, error_code, failed_jobs::int8 as failed_jobs,
       opened_by_worker, types, parked
  from writ.circuit
 order by environment, target
