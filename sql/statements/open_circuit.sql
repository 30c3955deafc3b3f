-- open_circuit: worker $1 has seen only failures of target $3 in environment $2 for $5, of $6 jobs, the last
-- with code $7; one start a type in $4.
-- Returns: whether the circuit is open now.
select writ_worker.open_circuit($1, $2, $3, $4, $5, $6::int, $7) as is_open
