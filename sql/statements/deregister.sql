-- deregister: end the lease of worker $1 now. Returns: whether it was live.
select writ_worker.deregister($1) as was_live
