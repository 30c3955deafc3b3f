#!/bin/sh
# dump-schema.sh CONNECTION-STRING: the schema of a freshly migrated database, as sql/schema.sql keeps it.
#
#   sql/dump-schema.sh "host=/run/postgresql dbname=fresh" > sql/schema.sql
#
# Left out: comments, settings and pg_dump's own commands, which differ between its versions, and the
# partitions, which differ between months.
set -eu
echo "-- What the migrations make, by pg_dump 15 (sql/dump-schema.sh); a test compares. Do not edit."
pg_dump --schema-only --schema='writ*' --exclude-table='writ_data.*_y[0-9]*m[0-9]*' "$1" |
  grep -v -e '^--' -e '^SET ' -e '^\\' -e '^SELECT pg_catalog' -e '_y[0-9]*m[0-9]*' |
  cat -s
