-- publish: keep the definition $1 and generate its functions. Returns: whether anything changed.
select writ.publish_job_type($1) as changed
