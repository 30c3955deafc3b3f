-- definition_hash: the hash under which type $1 is ordered now, or null.
select writ_worker.definition_hash($1) as hash
