#!/usr/bin/env bash
# Walks through the console in real headless Chromium, against a demo of its own. Installs what that needs.
#   scripts/journeys.sh [journeys | screenshots] [name ...]
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if [ -z "${CHROMIUM:-}" ] && ! command -v chromium chromium-browser google-chrome >/dev/null; then
    echo "installing chromium for the journeys"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
fi
what=${1:-journeys}
shift || true
cd console/web
exec npm run --silent "$what" -- "$@"
