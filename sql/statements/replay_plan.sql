-- replay_plan: what a replay of job $1 would do, a row a fact.
select fact, detail from writ.replay_plan($1) order by place
