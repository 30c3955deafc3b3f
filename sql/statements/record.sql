-- record: the entries $2 of worker $1, all in one transaction; $3: leaves out jobs that somebody else
-- holds. Fence and locks: see writ_worker.record.
-- Returns: a row a job: whether the worker still held it (null: left out), and whether somebody wants
-- it cancelled.
select job_id, accepted, cancel_requested from writ_worker.record($1, $2, $3)
