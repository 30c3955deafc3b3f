-- published_definitions: the definitions under which types are ordered now, but for those of the
-- names $1. Needs writ_admin or writ_auditor.
select d.hash, d.type, d.sources
  from writ.job_type as t
  join writ.definition as d on d.hash = t.definition_hash
 where t.name <> all ($1)
 order by t.name
