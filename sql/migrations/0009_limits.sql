-- 0009: limits over the fleet, expiry, and the window of idempotency keys.
set local role writ_owner;

alter table writ_data.job_type
  add column rate_limit int check (rate_limit between 1 and 100000),
  add column rate_period interval
    check (rate_period between interval '1 millisecond' and interval '31 days'),
  add column key_window interval not null default interval '720 hours'
    check (key_window > interval '0'),
  add constraint job_type_rate_has_period check ((rate_limit is null) = (rate_period is null));

-- What an administrator said at run time; stands in place of what the definition says.
create table writ_data.limit_setting (
  environment text not null references writ_data.environment,
  type text not null,
  concurrency int check (concurrency between 0 and 100000),
  rate_limit int check (rate_limit between 1 and 100000),
  rate_period interval
    check (rate_period between interval '1 millisecond' and interval '31 days'),
  changed_at timestamptz not null,
  changed_by text not null,
  primary key (environment, type),
  constraint limit_setting_rate_has_period check ((rate_limit is null) = (rate_period is null))
);
comment on table writ_data.limit_setting
  is 'Limits set at run time; without a type, for all jobs of the environment together.';

-- Where a claim found a job.
create type writ_data.place_in_line as (priority int, claim_order bigint, id bigint);

-- The state of a rate: until when the starts that were granted use it up.
alter table writ_data.gate add column rate_used_until timestamptz;
alter table writ_data.gate set (fillfactor = 20, autovacuum_vacuum_threshold = 200,
autovacuum_vacuum_scale_factor = 0);
comment on table writ_data.gate
  is 'One row a limited type, or without a type a limited environment: whoever counts locks it.';

-- A key is the ordering role's own, and free again at a moment that is known from the start. Keys of
-- before name no role. They stay as they are, and functions/enqueue.sql looks there too, until the
-- sweeper has deleted the last of them after 30 days: giving each its role would keep every order and
-- worker out for half a minute a million keys.
-- created_at becomes taken_at: a call of an old function that waits for this migration then fails
-- by name, and its caller repeats it; it would not know the keys of before.
alter table writ_data.idempotency_key rename to earlier_idempotency_key;
alter table writ_data.earlier_idempotency_key
  rename constraint idempotency_key_pkey to earlier_idempotency_key_pkey;
alter index writ_data.idempotency_key_age rename to earlier_idempotency_key_age;
comment on table writ_data.earlier_idempotency_key
  is 'Keys of before migration 9, which their jobs'' roles own; empty 30 days after it.';
create table writ_data.idempotency_key (
  taken_at timestamptz not null,
  free_at timestamptz not null,
  job_id bigint not null,
  ordered_by text not null,
  environment text not null,
  type text not null,
  key text not null,
  payload_digest bytea not null,
  primary key (ordered_by, environment, type, key)
);
create index idempotency_key_free on writ_data.idempotency_key (free_at);
comment on table writ_data.idempotency_key
  is 'Which key of a role stands for which job, and until when.';

-- Whoever looks whether any type has a limit finds none at once.
create index job_type_limited on writ_data.job_type (name)
  where coalesce(concurrency, rate_limit) is not null;
-- Who waits for a limit, in the order in which they start. What waits for another job is apart: the
-- sweeper looks through that.
drop index writ_data.job_parked;
create index job_parked on writ_data.job (environment, type, queue, priority, id)
  where state = 'waiting' and waiting_reason in ('concurrency', 'rate');
drop index writ_data.job_waiting;
create index job_waiting on writ_data.job (waiting_since)
  where state = 'waiting' and waiting_reason = 'predecessor';
-- Jobs that end at their deadline unless they have changed something by then.
create index job_deadline on writ_data.job (deadline_at)
  where deadline_at is not null and state <> 'running' and not unresolved
    and (waiting_reason is null or waiting_reason <> 'review');
