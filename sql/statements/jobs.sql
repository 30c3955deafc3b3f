-- jobs: newest first, at most $5, of state $1, type $2, environment $3, subject $4; null: any.
-- Index: the primary keys, from the right end.
select id, type, environment, queue, priority, state, waiting_reason, attempt, failures,
       max_attempts,
       run_at, enqueued_at, finished_at, last_error
  from writ.job
 where ($1::text is null or state = $1)
   and ($2::text is null or type = $2)
   and ($3::text is null or environment = $3)
   and ($4::text is null or subject = $4)
 order by id desc
 limit $5
