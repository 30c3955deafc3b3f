-- 0012: batches of jobs.
set local role writ_owner;
