#!/usr/bin/env bash
# Builds the web console into console/web/dist, which the binary embeds. Packages are fetched only when the lock changed.
set -euo pipefail
cd "$(dirname "$0")/../console/web"

if ! command -v npm >/dev/null; then
    echo "the console needs Node 20.19 or newer with npm; without it the binary shows a plain page" >&2
    exit 1
fi
if ! node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)'; then
    echo "the console needs Node 20.19 or newer; this is $(node --version)" >&2
    exit 1
fi
if [ ! -e node_modules/.ready ] || [ package-lock.json -nt node_modules/.ready ]; then
    npm ci --no-fund --no-audit
    touch node_modules/.ready
fi
npm run --silent "${1:-build}"
