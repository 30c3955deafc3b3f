-- open_definitions: the definitions before the present one under which unfinished jobs of type $2 were ordered in
-- environment $1. Returns: their hashes.
select hash from writ_worker.open_definitions($1, $2) as o (hash)
