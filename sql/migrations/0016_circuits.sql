-- 0016: targets that answer nobody are asked by few.
set local role writ_owner;

-- No vocabulary of its own: nothing here or in the functions' text uses these words before the commit.
alter type writ_data.audit_event_kind add value 'circuit_opened';
alter type writ_data.audit_event_kind add value 'circuit_closed';

-- Which targets the jobs of a type call; empty for a type that was published before, until it is
-- published again.
alter table writ_data.job_type add column targets text[] not null default '{}';

create table writ_data.circuit (
  opened_at timestamptz not null,
  pause interval not null check (pause between interval '10 milliseconds' and interval '1 hour'),
  worker_id bigint not null,
  failed_jobs int not null check (failed_jobs > 0),
  environment text not null references writ_data.environment,
  target text not null check (length(target) between 1 and 200),
  error_code text not null check (length(error_code) between 1 and 100),
  primary key (environment, target)
);
comment on table writ_data.circuit
  is 'Targets that have stopped answering: the jobs that call them start one at a time.';

create table writ_data.target_answer (
  answered_at timestamptz not null,
  worker_id bigint not null,
  environment text not null,
  target text not null,
  primary key (environment, target, worker_id)
)
with (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
comment on table writ_data.target_answer
  is 'When each target last answered each worker, as it told with its heartbeats of the last hour.';
