-- set_limit: type $1 (null: all together) in environment $2 (null: the default one) runs at most $3
-- jobs at once and starts at most $4 in the time $5; null is no limit. Returns: whether anything
-- changed.
select writ.set_limit($1, $2, $3::int, $4::int, $5) as changed
