-- 0010: what jobs give beyond one small object: rows.
set local role writ_owner;

-- A row belongs to its job, not to one run or attempt: paging through a list may meet an element
-- twice, and a page may be asked for twice, so what tells an element from the others is the key.
-- seq and place say where it came first: the step's place in the journal, its place in the answer.
create table writ_data.job_row (
  job_id bigint not null,
  seq int not null check (seq > 0),
  place int not null check (place > 0),
  key text not null check (length(key) between 1 and 500),
  data writ_data.json_object not null,
  primary key (job_id, key)
);
create index job_row_in_order on writ_data.job_row (job_id, seq, place);
comment on table writ_data.job_row
  is 'What jobs have read, an element a row; personal data, kept for 30 days.';

create table writ_data.row_set (
  job_id bigint primary key,
  created_at timestamptz not null
);
create index row_set_age on writ_data.row_set (created_at);
comment on table writ_data.row_set is 'Which jobs have rows, and since when.';

alter type writ_data.record_entry add attribute rows jsonb;
