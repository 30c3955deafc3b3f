-- key_makers: what became of the jobs $1 that have made keys, and the public part of the key that the result of
-- each shows. Returns: one row for each that is known. Needs writ_admin.
select j.id, j.state, j.result ->> 'prefix' as prefix
  from writ.job as j
 where j.id = any ($1)
