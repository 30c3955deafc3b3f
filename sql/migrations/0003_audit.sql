-- 0003: who the caller is, the digests of personal data, the append-only trail and its partitions.
set local role writ_owner;

-- The role on whose behalf this call is made: the one of SET ROLE, else the one that logged in.
-- Inside a SECURITY DEFINER function current_user is the owner, so it cannot tell.
create function writ_data.caller() returns text
language sql stable parallel safe
return case pg_catalog.current_setting('role')
  when 'none' then session_user::text
  else pg_catalog.current_setting('role')
end;

-- Whether the text looks like a credential: AuthOS key, JWT, private key, bearer token, keys of
-- clouds and forges. Such a value is refused wherever a caller could put one.
create function writ_data.looks_secret(value text) returns boolean
language sql immutable parallel safe
return value ~ (
  'sk_[0-9A-Za-z]{4,}_[0-9A-Za-z]{8,}'
  '|eyJ[0-9A-Za-z_-]{6,}\.[0-9A-Za-z_-]{6,}'
  '|-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY'
  '|[Bb][Ee][Aa][Rr][Ee][Rr] +[0-9A-Za-z._~+/=-]{8,}'
  '|(AKIA|ASIA)[0-9A-Z]{16}'
  '|gh[pousr]_[0-9A-Za-z]{30,}|github_pat_[0-9A-Za-z_]{30,}'
  '|glpat-[0-9A-Za-z_-]{20,}|xox[abeprs]-[0-9A-Za-z-]{10,}|AIza[0-9A-Za-z_-]{35}'
);

-- HMAC-SHA256 (RFC 2104) under the key of this installation; null for null.
create function writ_data.digest(value text) returns bytea
language plpgsql stable strict parallel safe
as $$
declare
  key writ_data.digest_key;
begin
  select k.* into strict key from writ_data.digest_key as k;
  return sha256(key.outer_block || sha256(key.inner_block || convert_to(value, 'UTF8')));
end
$$;

-- gen_random_uuid() draws from the server's strong random source; two of them hold 244 random bits.
insert into writ_data.digest_key (inner_block, outer_block)
select string_agg(set_byte('\x00', 0, byte # 54), ''::bytea order by position),
       string_agg(set_byte('\x00', 0, byte # 92), ''::bytea order by position)
  from (
    select position,
           case when position < 32 then get_byte(key.bytes, position) else 0 end as byte
      from generate_series(0, 63) as position,
           (
             select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) as bytes
           ) as key
  ) as padded;

create function writ_data.refuse_change() returns trigger
language plpgsql
as $$
begin
  raise exception using
    errcode = 'WR010',
    message = 'audit events are append-only: ' || lower(tg_op) || ' is refused',
    hint = 'Old months leave by dropping their partition, which the retention job does.';
end
$$;

-- Clones of a row trigger guard every partition; TRUNCATE needs one a partition, see
-- add_partitions.
create trigger append_only before update or delete on writ_data.audit_event
  for each row execute function writ_data.refuse_change();
create trigger append_only_truncate before truncate on writ_data.audit_event
  for each statement execute function writ_data.refuse_change();

-- Makes the partitions of the month of `at`, where they are missing. Idempotent.
-- Locks: the default partitions, exclusively and for a moment, only when a month is really new.
create function writ_data.add_partitions(at timestamptz) returns int
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

-- Rows of a month without a partition land here, so that a sweeper that did not run stops nobody.
create table writ_data.job_history_default partition of writ_data.job_history default;
create table writ_data.journal_history_default partition of writ_data.journal_history default;
create table writ_data.audit_event_default partition of writ_data.audit_event default;
create trigger append_only_truncate before truncate on writ_data.audit_event_default
  for each statement execute function writ_data.refuse_change();
