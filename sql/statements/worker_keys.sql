-- worker_keys: the keys that live workers show, and the name of this installation in each row; a row
-- without a worker where none shows any.
select i.name as installation, k.worker_id, k.worker_name, k.worker_host, k.environment, k.type,
       k.prefix
  from writ.installation as i
  left join writ.worker_key as k on true
 order by k.environment, k.type, k.worker_name, k.worker_id
