-- 0010: what jobs give beyond one small object: rows.
set local role writ_owner;
