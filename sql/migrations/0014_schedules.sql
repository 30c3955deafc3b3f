-- 0014: jobs that are ordered by the clock.
set local role writ_owner;
