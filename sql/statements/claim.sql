-- claim: up to $4 jobs of queue $2 in environment $3 for worker $1, beyond the lower bounds $5 (one
-- a priority). Locks and index: see writ_worker.claim.
-- Returns: a row a job; without jobs, one row whose id is null and that tells the rest.
select id, type, definition_hash, payload, subject, attempt, failures, max_attempts, unresolved,
       past_deadline, past_action_deadline, cancel_requested, traceparent, priority, claim_order,
       journal, exhausted, snapshot_xmin, snapshot_xmax, parked, next_start_in, blocked
  from writ_worker.claim($1, $2, $3, $4::int, $5)
