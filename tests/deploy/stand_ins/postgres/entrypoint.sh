#!/usr/bin/env bash
# Makes the data folder when it is new, then becomes the server; never as root.
set -euo pipefail
if [[ $(id -u) == 0 ]]; then
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [[ ! -s $PGDATA/PG_VERSION ]]; then
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    # shellcheck disable=SC2086 # these are several words
    initdb --username="$user" --pwfile=<(echo "$POSTGRES_PASSWORD") ${POSTGRES_INITDB_ARGS:-}
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    if [[ $database != postgres ]]; then
        pg_ctl start --wait --options="-c listen_addresses=''"
        PGPASSWORD=$POSTGRES_PASSWORD createdb --username="$user" "$database"
        pg_ctl stop --wait
    fi
fi
exec "$@"
