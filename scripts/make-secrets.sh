#!/bin/sh
# Writes the secrets that docker-compose.yml mounts, each once: a file that exists is never touched.
#   sh scripts/make-secrets.sh [folder]
set -eu
umask 077

folder=${1:-"$(dirname -- "$0")/../secrets"}
mkdir -p "$folder"
# The folder keeps other users out. The files are readable in themselves, because containers mount them one by one and
# read them under numbers of their own (PostgreSQL 999, Gatehouse 1000).
chmod 700 "$folder"

random() { # $1: bytes, answered in base64
  if command -v openssl >/dev/null 2>&1; then
    openssl rand -base64 "$1"
  else
    node -e 'console.log(require("node:crypto").randomBytes(Number(process.argv[1])).toString("base64"))' "$1"
  fi
}

is_missing() { # $1: name
  [ ! -e "$folder/$1.txt" ] || { echo "kept  $folder/$1.txt"; return 1; }
}

write() { # $1: name, stdin: value
  # under another name first, so that a run that is cut off leaves no half a secret
  cat >"$folder/$1.new"
  [ -s "$folder/$1.new" ] || { echo "no value for $1" >&2; exit 1; }
  chmod 444 "$folder/$1.new"
  mv "$folder/$1.new" "$folder/$1.txt"
  echo "made  $folder/$1.txt"
}

# 24 bytes are 32 base64 characters without padding; - and _ need no escape in a URL
if is_missing postgres_password; then random 24 | tr '+/' '-_' | write postgres_password; fi
if is_missing database_url; then
  printf 'postgres://gatehouse:%s@database:5432/gatehouse\n' "$(cat "$folder/postgres_password.txt")" | write database_url
fi
if is_missing master_key; then random 32 | write master_key; fi
if is_missing admin_password; then random 18 | tr '+/' '-_' | write admin_password; fi
# Grafana's own: who may look at charts is not who may make administrators
if is_missing grafana_password; then random 18 | tr '+/' '-_' | write grafana_password; fi

echo "Keep a copy of master_key.txt in a safe place: without it the signing keys in the database cannot be opened."
