-- limits: what limits how many jobs run and start, environments first, then by type.
select environment, type, concurrency::int8 as concurrency, rate::int8 as rate, per,
       burst::int8 as burst, is_set, changed_at, changed_by, running, parked
  from writ.limit
 order by environment, type nulls first
