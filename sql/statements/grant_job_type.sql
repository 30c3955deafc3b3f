-- grant_job_type: role $2 may order jobs of type $1.
select writ.grant_job_type($1, $2)
