-- journal: the steps of job $1, the runs before a replay first, each in order.
select seq, attempt, step, effect, result, status, error_code, duration_us, intent_at, outcome_at,
       outputs,
       action
  from writ.journal
 where job_id = $1
 order by finished_at nulls last, seq
