#!/usr/bin/env bash
# Looks at every service from inside its container, and names each that is not well; exit code 1 if there is one.
#   docker/health.sh [--wait SECONDS]      with --wait: again and again, until all are well or the time is over
# COMPOSE holds the words that drive the containers; `make health` sets it.
set -uo pipefail
patience=0
[ "${1:-}" = --wait ] && patience=${2:?--wait needs seconds}
read -ra compose <<<"${COMPOSE:?COMPOSE is not set. Use: make health}"

look() {  # look SERVICE CONTAINER COMMAND...
  local said code service=$1 container=$2
  shift 2
  said=$(timeout 60 "${compose[@]}" exec -T "$container" "$@" </dev/null 2>&1)
  code=$?
  ((code == 0)) && return 0
  said=$(grep -v '^$' <<<"$said" | tail -1)
  ((code == 124)) && said="It does not answer within a minute."
  echo "$service is not well: ${said:-The container of $container does not run.}"
  return 1
}

look_at_all() {
  local wrong=0
  look postgres postgres sh -c 'pg_isready -q -h 127.0.0.1 -U postgres || { echo The database takes no connection.; exit 1; }' || wrong=1
  look migrations code python docker/healthy.py migrations || wrong=1
  for service in code daemon webserver page; do
    look "$service" "$service" python docker/healthy.py "$service" || wrong=1
  done
  return $wrong
}

end=$((SECONDS + patience))
until seen=$(look_at_all); do
  if ((SECONDS >= end)); then
    echo "$seen" >&2
    echo "Look closer with: make logs SERVICE=$(head -1 <<<"$seen" | cut -d' ' -f1)" >&2
    exit 1
  fi
  sleep 5
done
echo "All six are well: postgres, migrations, code, daemon, webserver, page."
