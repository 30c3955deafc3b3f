-- 0013: jobs that wait until a person has done something elsewhere.
set local role writ_owner;
