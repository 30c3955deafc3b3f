-- set_idle: whether worker $1 waits for a wake-up.
select writ_worker.set_idle($1, $2) as changed
