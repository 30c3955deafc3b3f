-- audit.sql: the trail's inner functions: who calls, what looks secret, digests, partitions.

-- The role on whose behalf this call is made: the one of SET ROLE, else the one that logged in.
-- Inside a SECURITY DEFINER function current_user is the owner, so it cannot tell.
create or replace function writ_data.caller() returns text
language sql stable parallel safe
return case pg_catalog.current_setting('role')
  when 'none' then session_user::text
  else pg_catalog.current_setting('role')
end;

-- The person for whom a gateway acts, as the setting writ.actor says; null where it says nothing. What it
-- says is kept for good, so it is checked wherever it is read.
create or replace function writ_data.actor() returns text
language plpgsql stable
as $$
declare
  _actor constant text := nullif(current_setting('writ.actor', true), '');
begin
  if length(_actor) > 200 or writ_data.looks_secret(_actor) then
    raise exception using
      errcode = 'WR003', column = 'actor',
      message = 'the setting writ.actor must name a person in at most 200 characters',
      hint = 'Set it with: set local writ.actor = ''…''; it is recorded in the audit trail.';
  end if;
  return _actor;
end
$$;

-- Whether the text looks like a credential: AuthOS key, JWT, private key, bearer token, keys of
-- clouds and forges. Such a value is refused wherever a caller could put one.
create or replace function writ_data.looks_secret(value text) returns boolean
language sql immutable parallel safe
return value ~ (
  'sk_[0-9A-Za-z]{4,}_[0-9A-Za-z]{8,}'
  '|eyJ[0-9A-Za-z_-]{6,}\.[0-9A-Za-z_-]{6,}'
  '|-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY'
  '|[Bb][Ee][Aa][Rr][Ee][Rr] +[0-9A-Za-z._~+/=-]{8,}'
  '|(AKIA|ASIA)[0-9A-Z]{16}'
  '|gh[pousr]_[0-9A-Za-z]{30,}|github_pat_[0-9A-Za-z_]{30,}'
  '|writ-private-v1-[0-9A-Za-z_-]{16,}'
  '|glpat-[0-9A-Za-z_-]{20,}|xox[abeprs]-[0-9A-Za-z-]{10,}|AIza[0-9A-Za-z_-]{35}'
);

-- HMAC-SHA256 (RFC 2104) under the key of this installation; null for null.
create or replace function writ_data.digest(value text) returns bytea
language plpgsql stable strict parallel safe
as $$
declare
  key writ_data.digest_key;
begin
  select k.* into strict key from writ_data.digest_key as k;
  return sha256(key.outer_block || sha256(key.inner_block || convert_to(value, 'UTF8')));
end
$$;

create or replace function writ_data.refuse_change() returns trigger
language plpgsql
as $$
begin
  raise exception using
    errcode = 'WR010',
    message = 'audit events are append-only: ' || lower(tg_op) || ' is refused',
    hint = 'Old months leave by dropping their partition, which the retention job does.';
end
$$;

-- Makes the partitions of the month of `at`, where they are missing. Idempotent.
-- Locks: the default partitions, exclusively and for a moment, only when a month is really new.
create or replace function writ_data.add_partitions(at timestamptz) returns int
language plpgsql
as $$
declare
  first_day timestamptz := date_trunc('month', at at time zone 'UTC') at time zone 'UTC';
  next_month timestamptz := (date_trunc('month', at at time zone 'UTC') + interval '1 month')
    at time zone 'UTC';
  suffix text := to_char(first_day at time zone 'UTC', '"_y"YYYY"m"MM');
  parent text;
  added int := 0;
begin
  foreach parent in array array['job_history', 'journal_history', 'audit_event']
  loop
    if to_regclass('writ_data.' || parent || suffix) is null then
      execute format(
        'create table writ_data.%I partition of writ_data.%I for values from (%L) to (%L)',
        parent || suffix, parent, first_day, next_month
      );
      if parent = 'audit_event' then
        execute format(
          'create trigger append_only_truncate before truncate on writ_data.%I'
          ' for each statement execute function writ_data.refuse_change()',
          parent || suffix
        );
      end if;
      added := added + 1;
    end if;
  end loop;
  return added;
end
$$;
