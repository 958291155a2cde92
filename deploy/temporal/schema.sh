#!/bin/sh
# Brings Temporal's two databases to the schema of the tools' version; repeating it changes nothing.
# POSTGRES_SEEDS and POSTGRES_USER say where they are and whose, SQL_PASSWORD is read by the tool.
set -eu

migrate() {
    set -- "$1" "/etc/temporal/schema/postgresql/v12/$2/versioned"
    for step in "create" "setup-schema -v 0.0" "update-schema -d $2"; do
        # shellcheck disable=SC2086 # a step is a word and its options
        temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" -p 5432 -u "$POSTGRES_USER" \
            --db "$1" $step
    done
}

migrate temporal temporal
migrate temporal_visibility visibility
