#!/bin/sh
# Starts PostgreSQL as the official image does: the first start makes the cluster, its owner and the database.
set -eu
data=/var/lib/postgresql/data
install -d -o 999 -g 999 -m 0700 "$data"
as_postgres="setpriv --reuid=999 --regid=999 --clear-groups"
if [ ! -s "$data/PG_VERSION" ]; then
  password=$(mktemp)
  printf '%s' "$POSTGRES_PASSWORD" > "$password"
  chown 999 "$password"
  # shellcheck disable=SC2086
  $as_postgres initdb -D "$data" -U "$POSTGRES_USER" --pwfile="$password" -E UTF8 $POSTGRES_INITDB_ARGS
  rm "$password"
  echo "CREATE DATABASE $POSTGRES_DB" | $as_postgres postgres --single -D "$data" postgres
  echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
fi
# shellcheck disable=SC2086
exec $as_postgres postgres -D "$data" -h '*' -k ''
