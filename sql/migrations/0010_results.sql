-- 0010: what jobs give beyond one small object: rows, sealed values, a request to a person.
set local role writ_owner;
