-- report_keys: the keys $3 that the store of worker $1 shows for the environments $2 that it serves,
-- in place of those that it reported before.
-- Returns: whether its lease is live.
select writ_worker.report_keys($1, $2, $3) as is_live
