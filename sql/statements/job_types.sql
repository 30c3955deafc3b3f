-- job_types: the types that can be ordered now, by name.
select name, description, definition_hash, inputs, max_attempts, concurrency, replay, published_at,
       published_by, targets
  from writ.job_type
 order by name
