-- unpark: look again at the jobs $1, which a claim has just parked behind their predecessors.
-- Locks and index: see writ_worker.unpark. Returns: how many became available.
select writ_worker.unpark($1) as unparked
