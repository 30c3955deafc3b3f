-- clear_limit: what the definition says holds again for type $1 (null: all together) in environment
-- $2 (null: the default one). Returns: whether there was a setting.
select writ.clear_limit($1, $2) as changed
