-- check_now: look at job $1 again, whose user has acted. Returns: when, or SQLSTATE WR008.
select writ.check_now($1) as checked_at
