-- 0001: the roles, the three schemas, and the list of migrations.
-- Who may: a superuser, or a role with CREATEROLE that may create schemas in this database.
-- Roles belong to the whole cluster, so they may exist already; nobody can log in as one of them.
--   writ_owner     owns every object, so that no function of ours ever runs as a superuser
--   writ_enqueuer may call the job types that are granted to it and read the status of its own jobs
--   writ_worker may call the functions of schema writ_worker, nothing else writ_admin publishes,
--   replays, cancels, grants writ_auditor   reads the trail
-- Schemas: writ is the API; writ_worker is the workers' API; writ_data holds tables and inner
-- functions, and no outside role has any right in it.
do $$
declare
  role_name text;
begin
  foreach role_name in array array[
    'writ_owner', 'writ_enqueuer', 'writ_worker', 'writ_admin', 'writ_auditor'
  ]
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
      begin
        execute format('create role %I nologin', role_name);
      exception
        -- A migration of another database of this cluster was quicker.
        when duplicate_object or unique_violation then null;
      end;
    end if;
  end loop;
  if not pg_catalog.pg_has_role('writ_owner', 'member') then
    execute format('grant writ_owner to %I', current_user);
  end if;
end
$$;

create schema writ authorization writ_owner;
create schema writ_worker authorization writ_owner;
create schema writ_data authorization writ_owner;

set local role writ_owner;

-- A new function belongs to nobody but its owner until it is granted.
alter default privileges for role writ_owner revoke execute on functions from public;

grant usage on schema writ to writ_enqueuer, writ_admin, writ_auditor;
grant usage on schema writ_worker to writ_worker;

create table writ_data.schema_migration (
  version int primary key check (version > 0),
  name text not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  applied_at timestamptz not null default clock_timestamp(),
  applied_by text not null default session_user,
  duration_ms int check (duration_ms >= 0)
);
comment on table writ_data.schema_migration
  is 'Which migration was applied when, by whom, with which text.';
