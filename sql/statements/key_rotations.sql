-- key_rotations: for each pair of an environment of $1 and a job type of $2, in their order, its last
-- rotation that was completed, and those that are not over: their numbers, and the state of the first.
-- Index: job_subject and job_history_subject; a rotation's subject is the type.
select pair.environment, pair.type, done.id as done_job, done.finished_at as done_at,
       open.ids as open_jobs, open.state as open_state, open.waiting_reason as open_reason
  from unnest($1::text[], $2::text[]) with ordinality as pair (environment, type, place)
  left join lateral (
         select j.id, j.finished_at
           from writ.job as j
          where j.environment = pair.environment and j.subject = pair.type
            and j.type = 'rotate_api_key' and j.state = 'completed'
          order by j.id desc
          limit 1
       ) as done on true
  left join lateral (
         select string_agg(j.id::text, ' ' order by j.id) as ids,
                (array_agg(j.state order by j.id))[1] as state,
                (array_agg(j.waiting_reason order by j.id))[1] as waiting_reason
           from writ.job as j
          where j.environment = pair.environment and j.subject = pair.type
            and j.type = 'rotate_api_key' and j.finished_at is null
       ) as open on true
 order by pair.place
