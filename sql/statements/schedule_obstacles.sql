-- schedule_obstacles: the schedules that could order no job now, and why.
select name, environment, code, reason from writ.schedule_obstacles()
