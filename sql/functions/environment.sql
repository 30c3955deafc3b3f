-- environment.sql: the places where jobs take effect.

-- create_environment: one more place where jobs take effect. Returns false if it was there already.
create or replace function writ.create_environment(name text, is_default boolean default false) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
#variable_conflict use_column
declare
  _added boolean;
  _is_changed boolean := false;
begin
  if $1 is null or $1 !~ '^[a-z][a-z0-9_-]{0,62}$' or writ_data.looks_secret($1) then
    raise exception using
      errcode = 'WR003', column = 'name',
      message = 'create_environment: name must be the name of an environment',
      hint = 'A lower-case letter, then at most 62 lower-case letters, digits, _ or -.';
  end if;
  if $2 then
    update writ_data.environment as e set is_default = false where e.is_default and e.name <> $1;
  end if;
  insert into writ_data.environment as e (name, is_default)
  values ($1, coalesce($2, false))
  on conflict (name) do nothing;
  _added := found;
  if $2 then
    update writ_data.environment as e set is_default = true where e.name = $1 and not e.is_default;
    _is_changed := found;
  end if;
  if _added then
    perform writ_data.make_gates();
    insert into writ_data.audit_event (occurred_at, event, environment, role_name, actor)
    values (
      clock_timestamp(), 'environment_created', $1, writ_data.caller(),
      writ_data.actor()
    );
  end if;
  if _added and $2 or _is_changed then
    insert into writ_data.audit_event (occurred_at, event, environment, role_name, actor)
    values (
      clock_timestamp(), 'default_environment_changed', $1, writ_data.caller(),
      writ_data.actor()
    );
  end if;
  return _added;
end
$$;

grant execute on function writ.create_environment(text, boolean) to writ_admin;
