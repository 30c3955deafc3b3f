-- record: the entries $2 of worker $1, all in one transaction. Fence and locks: see
-- writ_worker.record.
-- Returns: a row a job: whether the worker still held it, and whether somebody wants it cancelled.
select job_id, accepted, cancel_requested from writ_worker.record($1, $2)
