-- check_many: what enqueue_many would refuse in the objects $2 for type $1, with run_at $3,
-- priority $4, expires_at $5.
-- Returns: one row a fault, at most a hundred, in the order of the rows.
select place, code, field, message, hint
  from writ.check_many($1, $2::text[], $3, $4::int, $5)
