-- sweep: return the jobs of lost workers, promote due jobs, unpark forgotten ones, end expired
-- ones; at most $1 of each.
-- Returns: one row; none when another sweep is under way.
select lost_workers, returned, promoted, unparked, expired, next_due_at
  from writ_worker.sweep($1::int)
