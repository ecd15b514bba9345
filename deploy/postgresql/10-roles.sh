#!/bin/sh
# Runs once, when the database is first made. The tables belong to POSTGRES_USER, which only
# `migrate` uses; the product works as a role that owns nothing, so that row-level security
# keeps the organisations apart. `manage.py grant_database_role` gives it its rights.
set -eu
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set=password="$APP_PASSWORD" <<'SQL'
CREATE ROLE missioncontrol_app LOGIN PASSWORD :'password' NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
SQL
