-- revoke_job_type: role $2 may no longer order jobs of type $1.
select writ.revoke_job_type($1, $2)
