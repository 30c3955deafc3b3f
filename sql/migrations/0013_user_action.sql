-- 0013: jobs that wait until a person has done something elsewhere.
set local role writ_owner;

alter table writ_data.job
  add column action_url text check (length(action_url) <= 2048),
  add column action_deadline_at timestamptz,
  drop constraint job_state_has_its_columns,
  add constraint job_state_has_its_columns check (
    state < 'completed'
    and (state = 'available') = (claim_order is not null)
    and (state = 'running') = (worker_id is not null)
    and (state = 'waiting') = (waiting_reason is not null)
    and (waiting_since is null) = (waiting_reason is null)
    and (action_url is null) = (action_deadline_at is null)
    and (action_url is not null or waiting_reason is distinct from 'user_action')
  );
comment on column writ_data.job.action_url
  is 'Where its user has to go; stays while it is asked again. Whoever knows it can use it.';
comment on column writ_data.job.action_deadline_at is 'Until when he has to have acted.';

-- Who is asked again next.
create index job_user_action on writ_data.job (run_at)
  where state = 'waiting' and waiting_reason = 'user_action';
