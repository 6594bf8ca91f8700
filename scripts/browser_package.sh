#!/usr/bin/env bash
# Installs Chromium where no browser of its kind is present: tests/interop looks at the report in it.
#
# Each command is printed before it runs. Only the interop tests need it, so `make setup` leaves it out.
set -euo pipefail

say() { printf 'browser: %s\n' "$*"; }
run() { printf '+ %s\n' "$*"; "$@"; }

for name in chromium chromium-browser google-chrome google-chrome-stable; do
  if command -v "$name" >/dev/null 2>&1; then
    say "$name is present"
    exit 0
  fi
done

if ! command -v apt-get >/dev/null 2>&1; then
  say "no apt-get here; install Chromium yourself"
  exit 1
fi
sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo=(sudo)
  else
    say "not root: install Chromium yourself"
    exit 1
  fi
fi
. /etc/os-release
if [ "${ID:-}" = ubuntu ]; then
  say "Ubuntu's package asks for snap, which containers lack; if this fails, install google-chrome-stable"
fi
export DEBIAN_FRONTEND=noninteractive
run "${sudo[@]}" apt-get update -qq
run "${sudo[@]}" apt-get install -y -qq --no-install-recommends chromium
