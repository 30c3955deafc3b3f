-- open_circuits: the circuits that are open in the environments $2 of worker $1, which the targets $3
-- ([{environment, target}]) have answered since it asked last.
select environment, target
  from writ_worker.open_circuits($1, $2, $3)
