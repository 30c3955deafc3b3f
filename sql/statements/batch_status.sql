-- batch_status: how far batch $1 has come. Returns: one row, or WR008.
select * from writ.batch_status($1)
