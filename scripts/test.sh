#!/usr/bin/env bash
# Installs what the tests need (PostgreSQL), starts it for this run only, and runs every test.
set -euo pipefail
cd "$(dirname "$0")/.."

find_postgres() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if [ -z "$(find_postgres)" ]; then
    echo "installing PostgreSQL for the store's tests"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
fi
if ! command -v cargo-nextest >/dev/null; then
    echo "installing cargo-nextest"
    cargo install --locked cargo-nextest
fi

bin=$(find_postgres)
data=$(mktemp -d)
# PostgreSQL refuses to run as root: give the folder to its own user then.
run() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    chown postgres "$data"
    chmod 755 "$data"
    run() { su postgres -s /bin/sh -c "$(printf '%q ' "$@")"; }
fi
stop() {
    run "$bin/pg_ctl" -D "$data/db" -m immediate stop >/dev/null 2>&1 || true
    as_root rm -rf "$data"
}
trap stop EXIT

# A free port: the kernel names one.
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])' 2>/dev/null || echo 54329)
run "$bin/initdb" -D "$data/db" -U riskgraph --auth=trust --encoding=UTF8 >/dev/null
run "$bin/pg_ctl" -D "$data/db" -w -o "-p $port -c listen_addresses=127.0.0.1 -k $data -c fsync=off" -l "$data/log" start >/dev/null
export RISKGRAPH_TEST_POSTGRES="postgres://riskgraph@127.0.0.1:$port/postgres"

./scripts/console.sh check
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings
cargo nextest run --workspace --locked "$@"
./scripts/journeys.sh
