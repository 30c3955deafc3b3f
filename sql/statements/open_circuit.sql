-- open_circuit: worker $1 has seen only failures of target $3 in environment $2 for $5, of $6 jobs, the last
-- with code $7; one start a type in $4.
-- Returns: what came of it: open, others_get_through, no_type_calls_it or lease_ended.
select writ_worker.open_circuit($1, $2, $3, $4, $5, $6::int, $7) as verdict
