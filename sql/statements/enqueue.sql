-- enqueue: a job of type $1 with payload $2, run_at $3, priority $4, idempotency key $5,
-- environment $6, queue $7, traceparent $8, expires_at $9. Returns: its number.
select writ.enqueue($1, $2::jsonb, $3, $4::int, $5, $6, $7, $8, $9) as id
