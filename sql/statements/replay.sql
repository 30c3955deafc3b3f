-- replay: bring job $1 back; $2: also where that needs force.
select writ.replay($1, $2)
