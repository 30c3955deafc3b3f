-- cancel: call job $1 off; $2: also when it has changed something. Returns: its state now.
select writ.cancel($1, $2) as state
