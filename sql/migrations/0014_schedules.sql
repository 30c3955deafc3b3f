-- 0014: jobs that are ordered by the clock.
set local role writ_owner;

-- The fields of the cron expression are kept as sets of numbers, as the program read them:
-- functions/schedule.sql computes with those and with nothing else.
create table writ_data.schedule (
  id bigint generated always as identity primary key,
  next_fire_at timestamptz,
  last_fire_at timestamptz,
  last_job_id bigint,
  created_at timestamptz not null default clock_timestamp(),
  priority smallint check (priority between 0 and 9),
  is_published boolean not null,
  is_paused boolean not null default false,
  is_last_day boolean not null,
  matches_either_day boolean not null,
  missed text not null check (missed in ('once', 'skip')),
  name text not null check (length(name) between 1 and 130),
  type text not null,
  environment text,
  queue text,
  cron text not null check (length(cron) <= 1000),
  time_zone text not null,
  minutes int[] not null,
  hours int[] not null,
  days int[] not null,
  months int[] not null,
  weekdays int[] not null,
  created_by text not null,
  inputs jsonb not null check (jsonb_typeof(inputs) = 'object'),
  last_error jsonb,
  unique nulls not distinct (name, environment),
  constraint schedule_fields check (
    cardinality(minutes) > 0 and 0 <= all (minutes) and 59 >= all (minutes)
    and cardinality(hours) > 0 and 0 <= all (hours) and 23 >= all (hours)
    and (cardinality(days) > 0 or is_last_day) and 1 <= all (days) and 31 >= all (days)
    and cardinality(months) > 0 and 1 <= all (months) and 12 >= all (months)
    and cardinality(weekdays) > 0 and 0 <= all (weekdays) and 6 >= all (weekdays)
  ),
  constraint schedule_paused_does_not_fire check (not is_paused or next_fire_at is null)
);
comment on table writ_data.schedule
  is 'When which jobs are ordered by the clock; one row a schedule and environment.';
comment on column writ_data.schedule.environment is 'Null: the default one when it fires.';
comment on column writ_data.schedule.is_published is 'Came with its job type, and goes with it.';
comment on column writ_data.schedule.next_fire_at
  is 'Null: paused, or its time zone is gone.';
comment on column writ_data.schedule.last_error is 'Why the last firing ordered no job.';
-- What is due: looked at by every sweep.
create index schedule_due on writ_data.schedule (next_fire_at) where next_fire_at is not null;
