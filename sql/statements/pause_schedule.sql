-- pause_schedule: let schedule $1 rest in environment $2; null: in all. Returns: how many changed.
select writ.pause_schedule($1, $2) as schedules
