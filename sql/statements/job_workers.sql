-- job_workers: for each job of $1 that is not over and that the caller may see, how many live workers serve
-- its environment.
select j.id, w.environment, w.queue, w.workers
  from unnest($1::bigint[]) as j (id),
       lateral writ.job_workers(j.id) as w
 order by j.id
