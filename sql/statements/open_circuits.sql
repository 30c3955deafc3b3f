-- open_circuits: the circuits that are open in the environments $1.
select environment, target
  from writ_worker.open_circuits($1)
