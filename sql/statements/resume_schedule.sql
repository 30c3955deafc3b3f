-- resume_schedule: let schedule $1 fire again in environment $2; null: in all. Returns: how many
-- changed.
select writ.resume_schedule($1, $2) as schedules
