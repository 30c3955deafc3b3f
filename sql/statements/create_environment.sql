-- create_environment: the environment $1, as the default if $2. Returns: whether it is new.
select writ.create_environment($1, $2) as added
