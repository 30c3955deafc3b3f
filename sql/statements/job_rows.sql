-- job_rows: at most $3 rows of job $1 after place $2, in order. Returns: place, data.
select place, data from writ.job_rows($1, $2, $3)
