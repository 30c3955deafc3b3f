-- batches: the newest batches that this role may see, at most $1.
select * from writ.batches($1::int)
