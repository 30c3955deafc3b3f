-- renew: prolong the lease of worker $1 by $2 from now; $3: whether it waits for work (null: as
-- before).
-- Returns: the end of the lease; null when it has ended already.
select writ_worker.renew($1, $2, $3) as lease_expires_at
