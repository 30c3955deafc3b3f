-- status: job $1 as its requester may see it. Returns: one row, or SQLSTATE WR008.
select id, type, state, waiting_reason, attempt, enqueued_at, run_at, finished_at, error_code, result,
       action_url, action_deadline_at
  from writ.status($1)
