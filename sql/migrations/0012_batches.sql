-- 0012: batches of jobs, the job that is ordered when a batch is done, and orders in bulk.
set local role writ_owner;

create table writ_data.batch (
  id bigint generated always as identity primary key,
  created_at timestamptz not null,
  closed_at timestamptz,
  finished_at timestamptz,
  first_unfinished bigint not null default 0,
  jobs bigint,
  completed bigint,
  discarded bigint,
  cancelled bigint,
  callback_job_id bigint,
  callback_deadline interval,
  callback_counts jsonb check (jsonb_typeof(callback_counts) = 'object'),
  created_by text not null,
  actor text,
  constraint batch_closed_before_finished check (finished_at is null or closed_at is not null),
  constraint batch_finished_has_counts check (
    (finished_at is null) = (num_nulls(jobs, completed, discarded, cancelled) = 4)
    and (finished_at is not null) = (num_nulls(jobs, completed, discarded, cancelled) = 0)
  )
)
with (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.1);
comment on table writ_data.batch is 'Jobs that were ordered together; done when none is unfinished.';
comment on column writ_data.batch.first_unfinished
  is 'No unfinished job of the batch has a lower number; the sweeper moves it on.';
comment on column writ_data.batch.callback_deadline
  is 'How long the callback may take once the batch is done; until then it has no deadline.';
comment on column writ_data.batch.callback_counts
  is 'Which fields of the callback take which count when the batch is done.';
-- What the sweeper looks at.
create index batch_unfinished on writ_data.batch (id)
  where closed_at is not null and finished_at is null;
-- The batches of a role, the newest first.
create index batch_created_by on writ_data.batch (created_by, id);

alter table writ_data.job add column batch_id bigint;
alter table writ_data.job_history add column batch_id bigint;
-- The unfinished jobs of a batch, from the first one that may be unfinished.
create index job_batch on writ_data.job (batch_id, id) where batch_id is not null;
create index job_history_batch on writ_data.job_history (batch_id, finished_at)
  where batch_id is not null;

-- Where the next sweep goes on when there are more batches than one looks at.
alter table writ_data.sweep_state add column batch_after bigint not null default 0;

-- What the check of a type makes of its fields; `clear` and `digested` are for the trail.
create type writ_data.checked_fields as (
  payload jsonb, subject text, clear jsonb, digested jsonb
);
-- The options that a row of an order in bulk may set for itself.
create type writ_data.row_options as (
  run_at timestamptz, priority int, idempotency_key text, expires_at timestamptz
);
-- A checked row of an order in bulk.
create type writ_data.bulk_row as (
  place int, id bigint, payload jsonb, subject text, clear jsonb, digested jsonb,
  run_at timestamptz, priority int, idempotency_key text, expires_at timestamptz
);
-- What is wrong with a row of an order in bulk.
create type writ_data.row_fault as (place int, code text, field text, message text, hint text);
