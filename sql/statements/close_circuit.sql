-- close_circuit: target $3 in environment $2 has answered a job of worker $1.
-- Returns: whether this call closed its circuit.
select writ_worker.close_circuit($1, $2, $3) as was_open
