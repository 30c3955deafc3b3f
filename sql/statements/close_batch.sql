-- close_batch: no more jobs can join batch $1. Returns: whether it was open.
select writ.close_batch($1) as was_open
