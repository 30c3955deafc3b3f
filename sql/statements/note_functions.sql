-- note_functions.sql: the functions have been replaced with the text of digest $1.
insert into writ_data.function_text (sha256)
values ($1)
on conflict (singleton) do update
   set sha256 = excluded.sha256, applied_at = clock_timestamp(), applied_by = session_user
