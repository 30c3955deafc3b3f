-- counts: how many jobs there are by type, state and reason, finished ones included.
-- Reads the whole history: for the demo and for people, not for a metric.
select type, state, waiting_reason, count(*) as jobs
  from writ.job
 group by type, state, waiting_reason
 order by type, state, waiting_reason
