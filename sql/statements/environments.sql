-- environments: where jobs take effect, by name.
select name, is_default from writ.environment order by name
