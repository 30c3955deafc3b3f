-- shorten_wait: make job $1 due in $2 at the latest, if it waits for its next attempt. Role: the owner of
-- the database. Leaves alone what outlasts a lost request: how long that takes is not a matter of
-- patience, and has a setting.
update writ_data.job
   set run_at = clock_timestamp() + $2
 where id = $1 and state = 'retryable' and run_at > clock_timestamp() + $2
   and last_error ->> 'code' is distinct from 'MAY_STILL_ACT'
