#!/usr/bin/env bash
# Restore a backup into the empty home of TRADING_OPS_HOME: scripts/restore_db.sh BACKUP_FOLDER [--identity FILE]
# FILE holds the private key of an encrypted backup.
set -euo pipefail
if ! { (($# == 1)) || { (($# == 3)) && [[ $2 == --identity ]]; }; }; then
  echo "usage: scripts/restore_db.sh BACKUP_FOLDER [--identity FILE]   (its home is TRADING_OPS_HOME, which must be empty)" >&2
  exit 2
fi
set=$(realpath -e -- "$1")
key=()
(($# == 1)) || key=(--identity "$(realpath -e -- "$3")")
export TRADING_OPS_HOME=$(realpath -m -- "${TRADING_OPS_HOME:-.home}")
cd "$(dirname "$0")/.."
make --silent setup
exec .venv/bin/trading-ops backup restore "$set" "${key[@]}"
