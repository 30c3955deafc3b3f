-- 0002: the tables. docs/schema.md tells what each is for and draws the life of a job.
-- Hot and small: job, journal, subject_slot, worker. Partitioned by month: job_history,
-- journal_history, audit_event. Fixed-width columns come first, so that rows carry no padding.
set local role writ_owner;

create type writ_data.job_state as enum (
  'scheduled', 'available', 'running', 'retryable', 'waiting', 'completed', 'discarded', 'cancelled'
);
create type writ_data.waiting_reason as enum ('predecessor', 'concurrency', 'review');
create type writ_data.worker_state as enum ('live', 'stopped', 'lost');
create type writ_data.audit_event_kind as enum (
  'enqueued', 'claimed', 'step', 'completed', 'discarded', 'cancelled', 'retried',
  'review_requested',
  'handed_back', 'lease_expired', 'parked', 'unparked', 'promoted', 'replayed', 'cancel_requested',
  'type_published', 'type_granted', 'type_revoked', 'environment_created',
  'default_environment_changed', 'worker_registered', 'worker_stopped', 'worker_lost'
);

-- The hot table's checks on single columns are domains: the server keeps them ready, while it
-- parses the text of every table check again for every statement (eight of them made an insert
-- three times as slow).
create domain writ_data.job_priority as smallint check (value between 0 and 9);
create domain writ_data.tally as int check (value >= 0);
create domain writ_data.attempt_limit as int check (value between 1 and 1000);
create domain writ_data.json_object as jsonb check (jsonb_typeof(value) = 'object');

create table writ_data.environment (
  name text primary key check (name ~ '^[a-z][a-z0-9_-]{0,62}$'),
  is_default boolean not null default false,
  created_at timestamptz not null default clock_timestamp()
);
create unique index environment_default on writ_data.environment (is_default) where is_default;
comment on table writ_data.environment is 'Where jobs take effect; one of them is the default.';
insert into writ_data.environment (name, is_default) values ('default', true);

-- One random key an installation, as the two padded blocks of HMAC (RFC 2104) over SHA-256.
create table writ_data.digest_key (
  singleton boolean primary key default true check (singleton),
  inner_block bytea not null check (length(inner_block) = 64),
  outer_block bytea not null check (length(outer_block) = 64)
);
comment on table writ_data.digest_key is 'The key of the digests that stand for personal data.';

create table writ_data.definition (
  hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
  type text not null,
  arazzo_path text not null,
  arazzo text not null check (octet_length(arazzo) <= 1048576),
  sources jsonb not null check (jsonb_typeof(sources) = 'array'),
  published_at timestamptz not null default clock_timestamp(),
  published_by text not null
);
comment on table writ_data.definition
  is 'Every definition that was ever published, under its hash.';

create table writ_data.job_type (
  name text primary key check (name ~ '^[a-z][a-z0-9_]{0,47}$'),
  definition_hash text not null references writ_data.definition,
  generator int not null,
  signature text not null,
  description text,
  inputs jsonb not null check (jsonb_typeof(inputs) = 'array'),
  subject jsonb check (jsonb_typeof(subject) = 'array'),
  max_attempts int not null check (max_attempts between 1 and 1000),
  concurrency int check (concurrency between 1 and 100000),
  deadline interval check (deadline > interval '0'),
  replay text not null check (replay in ('safe', 'review', 'never')),
  published_at timestamptz not null default clock_timestamp(),
  published_by text not null
);
comment on table writ_data.job_type
  is 'The types that can be ordered now, each with its current definition.';

create sequence writ_data.job_id as bigint;
create sequence writ_data.claim_order as bigint;

create table writ_data.job (
  id bigint primary key default nextval('writ_data.job_id'),
  claim_order bigint,
  run_at timestamptz not null,
  enqueued_at timestamptz not null,
  deadline_at timestamptz,
  claimed_at timestamptz,
  waiting_since timestamptz,
  worker_id bigint,
  attempt writ_data.tally not null default 0,
  failures writ_data.tally not null default 0,
  max_attempts writ_data.attempt_limit not null,
  state writ_data.job_state not null,
  waiting_reason writ_data.waiting_reason,
  priority writ_data.job_priority not null,
  unresolved boolean not null default false,
  cancel_requested boolean not null default false,
  is_limited boolean not null default false,
  type text not null,
  environment text not null,
  queue text not null,
  definition_hash text not null,
  subject text,
  subject_digest bytea,
  enqueued_by text not null,
  actor text,
  idempotency_key text,
  traceparent text,
  payload writ_data.json_object not null,
  last_error jsonb,
  -- The job is unfinished; each state has its columns, and no other state has them.
  constraint job_state_has_its_columns check (
    state < 'completed'
    and (state = 'available') = (claim_order is not null)
    and (state = 'running') = (worker_id is not null)
    and (state = 'waiting') = (waiting_reason is not null)
    and (waiting_since is null) = (waiting_reason is null)
  )
)
with (
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0.05
);
comment on table writ_data.job is 'Every unfinished job. What is finished moves to job_history.';
comment on column writ_data.job.attempt
  is 'How often it was claimed: the fencing token, only grows.';
comment on column writ_data.job.failures is 'Attempts that count against max_attempts.';
comment on column writ_data.job.unresolved is 'A request may have left that nobody recorded.';
comment on column writ_data.job.is_limited is 'Running and counted against the limit of its type.';
comment on column writ_data.job.claim_order is 'Place in the line; below zero is the front lane.';

-- The claim: one range a lane. Dead entries left of a worker's cursor are never walked.
create index job_available on writ_data.job (queue, environment, priority, claim_order)
  where state = 'available';
-- Promotion.
create index job_due on writ_data.job (run_at) where state in ('scheduled', 'retryable');
-- The jobs of a worker that was lost.
create index job_running on writ_data.job (worker_id) where state = 'running';
-- The jobs of one subject, in order.
create index job_subject on writ_data.job (environment, subject, id) where subject is not null;
-- How many jobs of a limited type run, and who waits for it.
create index job_limited on writ_data.job (environment,
type) where state = 'running' and is_limited;
create index job_parked on writ_data.job (environment, type, priority, id)
  where state = 'waiting' and waiting_reason = 'concurrency';
-- Recently parked, so that the sweeper finds the few that nobody will wake.
create index job_waiting on writ_data.job (waiting_since)
  where state = 'waiting' and waiting_reason in ('predecessor', 'concurrency');

create table writ_data.journal (
  job_id bigint not null,
  intent_at timestamptz not null,
  outcome_at timestamptz,
  duration_us bigint check (duration_us >= 0),
  seq int not null check (seq > 0),
  attempt int not null check (attempt > 0),
  status int check (status between 100 and 599),
  step text not null,
  effect text not null,
  result text check (result in ('succeeded', 'failed', 'ambiguous')),
  error_code text,
  outputs jsonb,
  action jsonb,
  primary key (job_id, seq),
  constraint journal_outcome_has_result check ((outcome_at is null) = (result is null))
)
with (
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0
);
comment on table writ_data.journal
  is 'Steps of unfinished jobs: what was meant, and what came back.';

create table writ_data.job_history (
  id bigint not null,
  run_at timestamptz not null,
  enqueued_at timestamptz not null,
  deadline_at timestamptz,
  claimed_at timestamptz,
  finished_at timestamptz not null,
  worker_id bigint,
  attempt int not null,
  failures int not null,
  max_attempts int not null,
  state writ_data.job_state not null check (state in ('completed', 'discarded', 'cancelled')),
  priority smallint not null,
  unresolved boolean not null,
  type text not null,
  environment text not null,
  queue text not null,
  definition_hash text not null,
  subject text,
  subject_digest bytea,
  enqueued_by text not null,
  actor text,
  idempotency_key text,
  traceparent text,
  payload jsonb not null,
  last_error jsonb,
  result jsonb,
  primary key (id, finished_at)
) partition by range (finished_at);
create index job_history_subject on writ_data.job_history (environment, subject, id)
  where subject is not null;
comment on table writ_data.job_history is 'Finished jobs, by the month in which they finished.';

create table writ_data.journal_history (
  job_id bigint not null,
  intent_at timestamptz not null,
  outcome_at timestamptz,
  finished_at timestamptz not null,
  duration_us bigint,
  seq int not null,
  attempt int not null,
  status int,
  step text not null,
  effect text not null,
  result text,
  error_code text,
  outputs jsonb,
  action jsonb,
  primary key (job_id, seq, finished_at)
) partition by range (finished_at);
comment on table writ_data.journal_history is 'The journals of finished jobs.';

create table writ_data.subject_slot (
  environment text not null,
  subject text not null,
  job_id bigint not null,
  primary key (environment, subject)
)
with (
  autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0
);
comment on table writ_data.subject_slot
  is 'For each subject, the job that has started and not finished.';

create table writ_data.worker (
  id bigint generated always as identity primary key,
  started_at timestamptz not null,
  heartbeat_at timestamptz not null,
  lease_expires_at timestamptz not null,
  ended_at timestamptz,
  pid int not null,
  state writ_data.worker_state not null default 'live',
  is_idle boolean not null default false,
  is_swept boolean not null default false,
  name text not null check (length(name) between 1 and 200),
  host text not null check (length(host) between 1 and 255),
  version text not null check (length(version) between 1 and 100),
  role_name text not null,
  constraint worker_ended check ((state = 'live') = (ended_at is null))
)
with (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
comment on table writ_data.worker
  is 'Processes that take jobs; one lease covers all jobs of a worker.';
create index worker_unswept on writ_data.worker (id) where not is_swept;

create table writ_data.idempotency_key (
  environment text not null,
  type text not null,
  key text not null,
  job_id bigint not null,
  created_at timestamptz not null,
  payload_digest bytea not null,
  primary key (environment, type, key)
);
create index idempotency_key_age on writ_data.idempotency_key (created_at);
comment on table writ_data.idempotency_key
  is 'Which key stands for which job; kept at least 30 days.';

create table writ_data.audit_event (
  id bigint generated always as identity,
  occurred_at timestamptz not null,
  job_id bigint,
  worker_id bigint,
  duration_us bigint,
  attempt int,
  http_status int,
  from_state writ_data.job_state,
  to_state writ_data.job_state,
  waiting_reason writ_data.waiting_reason,
  event writ_data.audit_event_kind not null,
  type text,
  environment text,
  step text,
  role_name text not null,
  actor text,
  outcome text,
  error_code text,
  definition_hash text,
  subject_digest bytea,
  recorded jsonb,
  primary key (id, occurred_at)
) partition by range (occurred_at);
create index audit_event_job on writ_data.audit_event (job_id) where job_id is not null;
comment on table writ_data.audit_event
  is 'Who moved what, when, from which state to which. Append-only.';

-- A lock of ours is a row that only writ_owner can lock. An advisory lock would do for speed, but
-- any role of the database can hold one, under any key, for as long as it likes.
create table writ_data.gate (
  environment text not null,
  type text not null,
  primary key (environment, type)
);
comment on table writ_data.gate is 'One row a limited type: whoever counts its jobs locks it.';

create table writ_data.sweep_state (
  singleton boolean primary key default true check (singleton),
  due_from timestamptz not null,
  full_at timestamptz not null
)
with (fillfactor = 10);
comment on table writ_data.sweep_state
  is 'Where the sweeper starts to look for due jobs, and when it last looked everywhere.';
insert into writ_data.sweep_state (due_from, full_at) values ('-infinity', '-infinity');
