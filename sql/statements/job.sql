-- job: everything about job $1, with its worker and what it waits for. Returns: one row, or none.
select j.id, j.type, j.environment, j.queue, j.priority, j.state, j.waiting_reason, j.attempt,
       j.failures,
       j.max_attempts, j.run_at, j.enqueued_at, j.finished_at, j.last_error, j.unresolved,
       j.cancel_requested, j.worker_id, w.name as worker_name, w.state as worker_state, j.subject,
       j.definition_hash, j.idempotency_key, j.traceparent, j.enqueued_by, j.actor, j.claimed_at,
       j.deadline_at, j.waiting_since, j.payload, j.result, writ.predecessor(j.id) as predecessor_id
  from writ.job as j
  left join writ.worker as w on w.id = j.worker_id
 where j.id = $1
