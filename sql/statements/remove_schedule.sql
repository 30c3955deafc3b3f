-- remove_schedule: end schedule $1 in environment $2; null: in all. Returns: how many went.
select writ.remove_schedule($1, $2) as schedules
