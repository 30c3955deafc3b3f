-- definition: the texts of the definition with hash $1. Returns: one row, or none.
select type, sources from writ_worker.definition($1)
