#!/bin/sh
# Each night: a backup, a look at all of the vault, a copy of it elsewhere, a look at the copy. Silent when all is well: cron mails what is printed.
# Needs HOLDFAST_VAULT, HOLDFAST_KEY_FILE, DATABASE_URL and VAULT_COPY in its environment.
set -eu
log=$(mktemp)
trap 'rm -f "$log"' EXIT

nightly() {
  holdfast backup --source shop
  # What the disk or an intruder has changed must not take the place of the good copy: then nothing is copied.
  holdfast verify --all --quick
  mkdir -p "$VAULT_COPY"
  cp -Rp "$HOLDFAST_VAULT/." "$VAULT_COPY/"
  holdfast verify latest --source shop --quick --vault "$VAULT_COPY"
}

# In a shell of its own: an "if" would switch "set -e" off inside of it.
code=0
(set -e; nightly) > "$log" 2>&1 &
wait $! || code=$?
[ "$code" -eq 0 ] || cat "$log"
exit "$code"
