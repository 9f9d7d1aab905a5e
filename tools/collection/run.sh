#!/bin/sh
# Runs the collection against a running Gatehouse: sh run.sh [newman's options]
#   BASE_URL         http://127.0.0.1:3000 if unset
#   ADMIN_USER_NAME  admin if unset
#   ADMIN_PASSWORD   or ADMIN_PASSWORD_FILE
set -eu
if [ -z "${ADMIN_PASSWORD:-}" ]; then
  ADMIN_PASSWORD=$(cat "${ADMIN_PASSWORD_FILE:?set ADMIN_PASSWORD or ADMIN_PASSWORD_FILE}")
fi
export ADMIN_PASSWORD
cd "$(dirname -- "$0")"
[ -x node_modules/.bin/newman ] || npm ci --ignore-scripts

# through a pipe, because arguments can be read by every user of the machine
node -e '
  const { BASE_URL, ADMIN_USER_NAME, ADMIN_PASSWORD } = process.env;
  const values = { baseUrl: BASE_URL, adminUserName: ADMIN_USER_NAME, adminPassword: ADMIN_PASSWORD };
  const given = Object.entries(values).filter(([, value]) => value);
  console.log(JSON.stringify({ values: given.map(([key, value]) => ({ key, value })) }));
' | node_modules/.bin/newman run gatehouse.postman_collection.json --environment /dev/stdin --timeout-request 15000 "$@"
