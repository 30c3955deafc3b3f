-- functions.sql: with which text the functions of this database were last replaced; no row: never.
select sha256 from writ_data.function_text
