-- create_batch: an open batch, with a callback of type $1 and payload $2 in environment $3, queue
-- $4, with priority $5; without a type, none. Returns: its number.
select writ.create_batch($1, $2, $3, $4, $5::int) as id
