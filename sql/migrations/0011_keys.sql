-- 0011: which worker has loaded which key.
set local role writ_owner;
