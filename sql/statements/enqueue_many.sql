-- enqueue_many: jobs of type $1 from the objects $2, one a text, into the open batch $3; options
-- for all: run_at $4, priority $5, expires_at $6, environment $7, queue $8, traceparent $9.
-- Returns: the batch, how many jobs are new, and how many were ordered before.
select batch, jobs, known
  from writ.enqueue_many(
         $1, $2::text[], $3, false, $4, $5::int, $6, $7, $8, $9
       )
