-- end_circuit: a person closes the circuit of target $1 in environment $2 (null: the default one).
-- Returns: whether it was open.
select writ.close_circuit($1, $2) as was_open
