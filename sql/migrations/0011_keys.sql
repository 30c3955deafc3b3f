-- 0011: schedules, and which worker has loaded which key.
set local role writ_owner;
