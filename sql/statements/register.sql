-- register: a worker named $1 on host $2, process $3, version $4, with a lease of $5. Role
-- writ_worker.
-- Returns: the worker's number.
select writ_worker.register($1, $2, $3::int, $4, $5) as id
