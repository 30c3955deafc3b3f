-- 0011: which worker has loaded which key.
set local role writ_owner;

-- What tells this installation's keys from those of another one that serves the same AuthOS service.
create table writ_data.installation (
  singleton boolean primary key default true check (singleton),
  name text not null check (name ~ '^[0-9a-f]{8}$')
);
comment on table writ_data.installation
  is 'The name of this installation, a part of the names of the keys that it makes.';
insert into writ_data.installation (name)
values (substr(replace(gen_random_uuid()::text, '-', ''), 1, 8));

-- Null until the worker has said which keys it has, and of a worker that cannot say so.
alter table writ_data.worker add column environments text[];
comment on column writ_data.worker.environments
  is 'The environments that it serves; null until it has said which keys it has.';

create table writ_data.worker_key (
  worker_id bigint not null,
  loaded_at timestamptz not null,
  environment text not null,
  type text not null,
  -- Both null: there is something that the worker cannot read, or that is no key.
  prefix text check (prefix ~ '^sk_[0-9a-f]{12}$'),
  fingerprint text check (fingerprint ~ '^[0-9a-f]{12}$'),
  primary key (worker_id, environment, type),
  constraint worker_key_is_whole check ((prefix is null) = (fingerprint is null))
)
with (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
comment on table writ_data.worker_key
  is 'The keys that each live worker''s secret store shows, by their public parts.';
