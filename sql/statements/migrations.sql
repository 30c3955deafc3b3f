-- migrations: what has been applied, in order.
select version, name, sha256, applied_at from writ_data.schema_migration order by version
