-- installation: what tells the keys of this installation from those of another one.
select writ_worker.installation() as name
