-- definition.sql: a worker reads the definitions of its jobs and nothing else.

-- A worker reads the definitions of its jobs and nothing else.
create or replace function writ_worker.definition(hash text)
returns table (type text, arazzo_path text, arazzo text, sources jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select d.type, d.arazzo_path, d.arazzo, d.sources from writ_data.definition as d
           where d.hash = $1;
end
$$;

-- The hash of the definition under which a type is ordered now; null for a type that nobody
-- published.
create or replace function writ_worker.definition_hash(type text) returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select t.definition_hash from writ_data.job_type as t where t.name = $1);
end
$$;

grant execute on function
  writ_worker.definition(text), writ_worker.definition_hash(text)
to writ_worker;
