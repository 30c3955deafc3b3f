-- 0015: whether a worker is idle is asked with every order, and must not cost more with every worker
-- that ever was.
set local role writ_owner;

create index worker_idle on writ_data.worker (id) where is_idle and state = 'live';
