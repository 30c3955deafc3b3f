-- rows.sql: what jobs give beyond one small object: how rows come in, are read, and are forgotten.

-- keep_rows: rows of one step, [[key, fields], …], within the transaction of its outcome. A key that
-- the job has already stays as it is, so that the same entry twice changes nothing.
create or replace function writ_data.keep_rows(job_id bigint, seq int, rows jsonb, now timestamptz)
returns void
language plpgsql
as $$
#variable_conflict use_column
begin
  insert into writ_data.row_set (job_id, created_at) values ($1, $4) on conflict do nothing;
  insert into writ_data.job_row (job_id, seq, place, key, data)
  select $1, $2, r.place::int, r.value ->> 0, r.value -> 1
    from jsonb_array_elements($3) with ordinality as r (value, place)
  on conflict do nothing;
end
$$;

-- forget_rows: the rows of a job that runs again from its start, on behalf of a person.
create or replace function writ_data.forget_rows(job_id bigint) returns void
language plpgsql
as $$
#variable_conflict use_column
begin
  -- In the order of forget_old_rows, which may be at the same job.
  perform from writ_data.row_set as s where s.job_id = $1 for update;
  delete from writ_data.job_row as r where r.job_id = $1;
  delete from writ_data.row_set as s where s.job_id = $1;
end
$$;

-- forget_old_rows: what finished jobs have read, 30 days after they began to. A bounded number a call.
-- Locks: row sets with skip locked; somebody may be replaying a job of theirs.
create or replace function writ_data.forget_old_rows(now timestamptz, max_rows int) returns void
language plpgsql
as $$
#variable_conflict use_column
declare
  _old bigint[];
begin
  select array_agg(job_id)
    into _old
    from (
      select s.job_id
        from writ_data.row_set as s
       where s.created_at < $1 - interval '30 days'
         and not exists (select from writ_data.job as j where j.id = s.job_id)
       order by s.created_at
       limit 10
         for update skip locked
    ) as o;
  if _old is null then
    return;
  end if;
  delete from writ_data.job_row as r
   where r.ctid = any (
           array(select o.ctid from writ_data.job_row as o where o.job_id = any (_old) limit $2)
         );
  delete from writ_data.row_set as s
   where s.job_id = any (_old)
     and not exists (select from writ_data.job_row as r where r.job_id = s.job_id);
end
$$;

-- job_rows: the rows of a job that the caller ordered, in the order in which they came; administrators
-- may read any. Not auditors: rows are personal data, like payloads.
-- after, at_most: for reading in pieces; place counts from 1 and stays once the job has ended.
create or replace function writ.job_rows(
  job_id bigint, after bigint default 0, at_most bigint default null
)
returns table (place bigint, data jsonb)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  _caller constant text := writ_data.caller();
begin
  perform writ_data.check_page('job_rows', 'at_most', $3);
  if not exists (
    select from writ_data.job as j
     where j.id = $1 and (j.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member'))
    union all
    select from writ_data.job_history as h
     where h.id = $1 and (h.enqueued_by = _caller or pg_has_role(_caller, 'writ_admin', 'member'))
  ) then
    perform writ_data.refuse_job(
      'there is no such job, or another role ordered it',
      'The rows of a job are shown to the role that ordered it and to writ_admin.'
    );
  end if;
  return query
    select r.place, r.data
      from (
        select row_number() over (order by o.seq, o.place) as place, o.data::jsonb as data
          from writ_data.job_row as o
         where o.job_id = $1
      ) as r
     where r.place > coalesce($2, 0)
     order by r.place
     limit $3;
end
$$;

grant execute on function writ.job_rows(bigint, bigint, bigint) to writ_enqueuer, writ_admin;
