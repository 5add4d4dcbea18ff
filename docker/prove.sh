#!/usr/bin/env bash
# Proves the containers on this machine, in a project of their own that is removed at the end: a weekly plan ends in
# its ticket, and after `make down && make up` ticket, run history and book are still there. Ten minutes or so; needs
# DOCKER_HOST or a Docker daemon. Exit code 0 only when every line said "ok".
set -euo pipefail
cd "$(dirname "$0")/.."
export PROJECT=trading-ops-proof-$$ DESK_PORT=${DESK_PORT:-18501} DAGSTER_PORT=${DAGSTER_PORT:-13000}
compose=(docker-compose)
docker compose version >/dev/null 2>&1 && compose=(docker compose)
compose+=(--project-name "$PROJECT" --file docker/compose.yml)
work=$(mktemp -d)
# The only place where volumes are removed, and only those that this proof made.
trap '"${compose[@]}" down --volumes >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

ok() { echo "ok      $*"; }
fail() { echo "NOT OK  $*" >&2; exit 1; }
desk() { "${compose[@]}" exec -T code "$@" </dev/null; }
run() { make --no-print-directory "$@" >"$work/make.log" 2>&1 || { tail -40 "$work/make.log" >&2; fail "make $*"; }; }
healthy() { make --no-print-directory health; }
ask() { python3 docker/ask_webserver.py "$DAGSTER_PORT" "$@"; }
facts() {  # what must still be there afterwards
  desk trading-ops ticket list --json
  desk trading-ops ticket show 2025-W06 | grep '^content sha256'
  desk trading-ops ticket show 2025-W07 | grep '^content sha256'
  desk trading-ops ticket replay all | grep -v note:
  ask runs | grep -E 'plan_job|ticket_job'     # others run by the clock meanwhile
}

run up; ok "make up"
healthy; ok "make health"

for service in postgres code daemon webserver page; do
  [ "$("${compose[@]}" exec -T "$service" id -u </dev/null)" = 999 ] || fail "$service runs as root"
done
ok "no service runs as root"
listening=$(ss -ltn | awk '{print $4}')
for port in "$DESK_PORT" "$DAGSTER_PORT"; do
  [ "$(grep ":$port\$" <<<"$listening")" = "127.0.0.1:$port" ] || fail "port $port is not on 127.0.0.1 alone"
done
for address in $("${compose[@]}" port postgres 5432 2>/dev/null | grep ':[1-9]' || true); do fail "postgres is at $address"; done
ok "page and webserver listen on 127.0.0.1 alone, the database is not published"
modes=$(desk sh -c 'stat -c %a:%U /run/desk-secrets/* /data/secrets/*' | sort -u)
[ "$modes" = 600:desk ] || fail "secrets have modes $modes"
"${compose[@]}" exec -T page test ! -e /run/desk-secrets/pgpass </dev/null || fail "the page has the administrator's password"
desk sh -c 'cat /run/desk-secrets/postgres_password; python -c "
import json; print(*json.load(open(\"/data/secrets/db.json\")).values(), sep=\"\n\")"' >"$work/passwords"
engine=$(command -v docker || command -v podman)
"$engine" inspect $("${compose[@]}" ps -q) trading-ops:local >"$work/seen"
"$engine" history --no-trunc trading-ops:local >>"$work/seen"
"${compose[@]}" logs --no-color >>"$work/seen" 2>&1
! grep -qFf "$work/passwords" "$work/seen" || fail "a password stands in a container's settings, the image or a log"
ok "secrets are 0600; none of $(wc -l <"$work/passwords") passwords in the image, the containers' settings or the logs"

desk trading-ops prices load --provider simulated --from 2024-06-03 --through 2025-02-14 | sed 's/^/        /'
desk trading-ops ledger record cash --kind deposit --amount 20000 --day 2025-02-07 --why "opening deposit" >/dev/null
desk trading-ops plan --asof 2025-02-07 | sed 's/^/        /'
ok "a weekly plan by the command line ended in its ticket"
desk sh -c 'printf "symbol,units\nCASH,20000.00\n" >/tmp/shown.csv && trading-ops snapshot add --file /tmp/shown.csv --at "2025-02-14 21:30"' >/dev/null
desk python -c '
import datetime as dt
from trading_ops.commands.home import now, opened
from trading_ops.planning import direct
with opened() as (conn, _):
    direct.register(conn, dt.date(2025, 2, 14), now())'
ask run plan_job 2025-02-14 | sed 's/^/        /'
ask run ticket_job 2025-02-14 | sed 's/^/        /'
desk trading-ops ticket list | sed 's/^/        /'
desk trading-ops ticket show 2025-W07 >/dev/null || fail "the daemon's plan has no ticket"
ok "a weekly plan asked of the webserver, queued by the daemon and run by the code location ended in its ticket"
desk trading-ops ticket replay all | grep -v note: | sed 's/^/        /'
desk trading-ops backup create | sed 's/^/        /'
desk trading-ops doctor >/dev/null || fail "doctor finds something wrong"
desk trading-ops audit verify | tail -1 | sed 's/^/        /'
ok "tickets replay identically, a backup is made and proven, doctor finds nothing"
ask schedules | sed 's/^/        /'

"${compose[@]}" stop page >/dev/null 2>&1
if seen=$(healthy 2>&1); then fail "make health said nothing of a page that does not run"; fi
grep '^page is not well' <<<"$seen" | sed 's/^/        /' || fail "make health does not name the page"
ok "make health fails and names a service that was stopped"
"${compose[@]}" start page >/dev/null 2>&1

facts >"$work/before"
run down; ok "make down"
[ -z "$("${compose[@]}" ps -q)" ] || fail "containers are left after make down"
run up; ok "make up again"
healthy
facts >"$work/after"
desk trading-ops audit verify | tail -1 | sed 's/^/        /'
diff "$work/before" "$work/after" || fail "not everything is still there"
sed 's/^/        /' "$work/after" | cut -c1-200
ok "both tickets, the audit chain and the history of runs are still there"
