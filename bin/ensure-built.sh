#!/usr/bin/env bash
# Makes a clone ready to run: installs the packages and builds dist/, each only where it is missing or outdated.
# With --packages it stops before the build. Silent and quick when there is nothing to do; what it prints goes to stderr,
# so that a command's output stays its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# npm writes this file last, so an interrupted install counts as none.
installed() {
  [[ -f node_modules/.package-lock.json && ! package-lock.json -nt node_modules/.package-lock.json ]]
}

# Folders count too: their time changes when a file in them is removed.
built() {
  [[ ${1:-} == --packages ]] && return
  [[ -f dist/flotilla.js && -f dist/package.json ]] &&
    [[ -z "$(find bin crds api-server controllers node-agent package-lock.json -newer dist/flotilla.js -print -quit)" ]]
}

check_node() {
  node -e '
    const [major, minor] = process.versions.node.split(".").map(Number)
    if (major > 20 || (major === 20 && minor >= 20)) process.exit(0)
    console.error(`Flotilla needs Node.js 20.20 or newer; this is ${process.version}`)
    process.exit(1)'
}

if installed && built "$@"; then exit 0; fi

# Two commands started at once do the work once.
exec 9<bin/ensure-built.sh
flock 9

# Packages that another tree lends by a link are that tree's: an install would first remove all of them.
if ! installed && [[ ! -L node_modules ]]; then
  check_node
  echo 'installing packages (once, about half a minute)' >&2
  npm ci --include=dev --include=optional --no-audit --no-fund --loglevel=error >&2
  touch node_modules/.package-lock.json
fi
if ! built "$@"; then node bin/build.mjs; fi
