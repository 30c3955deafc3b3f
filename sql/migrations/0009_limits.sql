-- 0009: limits over the fleet, expiry, and the window of idempotency keys.
set local role writ_owner;
