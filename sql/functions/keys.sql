-- keys.sql: which keys the workers' secret stores show. Nothing here is a secret: a prefix is public,
-- and a fingerprint stands for 256 random bits.

-- report_keys: what the worker's own store shows now, in place of what it said before. False: its
-- lease has ended. `keys` is [{environment, type, prefix, fingerprint}].
-- Locks: the worker's row, so that two reports of one worker stay in order.
create or replace function writ_worker.report_keys(
  worker_id bigint, environments text[], keys jsonb
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _now constant timestamptz := clock_timestamp();
begin
  update writ_data.worker as w
     set environments = $2
   where w.id = $1 and w.state = 'live' and w.lease_expires_at > _now;
  if not found then
    return false;
  end if;
  delete from writ_data.worker_key as k
   where k.worker_id = $1
     and not exists (
       select
         from jsonb_to_recordset($3) as new (environment text, type text)
        where new.environment = k.environment and new.type = k.type
     );
  insert into writ_data.worker_key as k (
    worker_id, loaded_at, environment, type, prefix, fingerprint
  )
  select $1, _now, new.environment, new.type, new.prefix, new.fingerprint
    from jsonb_to_recordset($3)
           as new (environment text, type text, prefix text, fingerprint text)
  on conflict (worker_id, environment, type) do update
     set loaded_at = excluded.loaded_at, prefix = excluded.prefix,
         fingerprint = excluded.fingerprint
   where k.fingerprint is distinct from excluded.fingerprint;
  return true;
end
$$;

-- workers_without_key: the live workers of an environment that do not show this key of a type: they
-- show another one or something unreadable, or have not said yet what they have. A worker that shows
-- none has nothing that it could go on using. No row: the key before may go.
create or replace function writ_worker.workers_without_key(
  environment text, type text, fingerprint text
)
returns table (worker_id bigint, name text, host text, prefix text, has_reported boolean)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select w.id, w.name, w.host, k.prefix, w.environments is not null
      from writ_data.worker as w
      left join writ_data.worker_key as k
        on k.worker_id = w.id and k.environment = $1 and k.type = $2
     where w.state = 'live' and w.lease_expires_at > clock_timestamp()
       and (
         w.environments is null
         or $1 = any (w.environments) and k.worker_id is not null
            and k.fingerprint is distinct from $3
       )
     order by w.name, w.id;
end
$$;

-- open_definitions: the definitions before the present one under which unfinished jobs of a type were
-- ordered: they need what those need. Only a rotation asks, so no index is kept for it: where a type has had
-- other definitions, the unfinished jobs are read through once.
create or replace function writ_worker.open_definitions(environment text, type text)
returns setof text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _hashes text[] := array(
    select d.hash
      from writ_data.definition as d
     where d.type = $2
       and not exists (
             select from writ_data.job_type as t where t.name = $2 and t.definition_hash = d.hash
           )
  );
begin
  if _hashes = '{}' then
    return;
  end if;
  return query
    select distinct j.definition_hash
      from writ_data.job as j
     where j.environment = $1 and j.definition_hash = any (_hashes);
end
$$;

-- installation: the name that stands in the names of the keys that this installation makes.
create or replace function writ_worker.installation() returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select i.name from writ_data.installation as i);
end
$$;

create or replace view writ.installation as select name from writ_data.installation;
comment on view writ.installation
  is 'What the names of keys end with that this installation has made.';

create or replace view writ.worker_key as
select k.worker_id, w.name as worker_name, w.host as worker_host, k.environment, k.type, k.prefix,
       k.fingerprint, k.loaded_at
  from writ_data.worker_key as k
  join writ_data.worker as w on w.id = k.worker_id
 where w.state = 'live' and w.lease_expires_at > clock_timestamp();
comment on view writ.worker_key is 'The keys that the stores of live workers show.';

grant execute on function
  writ_worker.report_keys(bigint, text[], jsonb),
  writ_worker.workers_without_key(text, text, text), writ_worker.open_definitions(text, text),
  writ_worker.installation()
to writ_worker;
grant select on writ.installation, writ.worker_key to writ_admin, writ_auditor;
