-- add_schedule: order jobs of type $1 by the clock, under name $2, as $3 says.
-- Returns: when it fires first.
select writ.add_schedule($1, $2, $3) as next_fire_at
