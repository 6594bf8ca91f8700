#!/usr/bin/env bash
# Installs the system packages BOMB needs, and only those that are missing.
#
# What: a C++ compiler and Python headers (the checker), and a Vulkan loader with
# Mesa's software driver 25 or newer (pictures on machines without a GPU driver).
# Debian 12's own Mesa (22.3) cannot run SAPIEN, so there it comes from backports.
# Each command is printed before it runs. Without root the rest of the set-up still
# works: everything but pictures runs, and this script says so and exits 0.
set -euo pipefail

say() { printf 'system packages: %s\n' "$*"; }
run() { printf '+ %s\n' "$*"; "$@"; }

if ! command -v apt-get >/dev/null 2>&1; then
  say "no apt-get here; install g++, Python headers, libvulkan1 and Mesa's Vulkan drivers (25 or newer) yourself"
  exit 0
fi

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
mesa_major() { dpkg-query -W -f='${Version}' mesa-vulkan-drivers 2>/dev/null | sed -E 's/^([0-9]+:)?([0-9]+).*/\2/' || true; }

python=${PYTHON:-python3}
missing=()
command -v g++ >/dev/null 2>&1 || missing+=(g++)
command -v make >/dev/null 2>&1 || missing+=(make)
command -v git >/dev/null 2>&1 || missing+=(git)
"$python" -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
"$python" - <<'PY' 2>/dev/null || missing+=(python3-dev)
import pathlib, sys, sysconfig
sys.exit(0 if pathlib.Path(sysconfig.get_path("include"), "Python.h").is_file() else 1)
PY
installed libvulkan1 || missing+=(libvulkan1)
installed libegl1 || missing+=(libegl1)
installed libgl1 || missing+=(libgl1)

mesa_missing=false
major=$(mesa_major)
if [ -z "$major" ] || [ "$major" -lt 25 ]; then mesa_missing=true; fi

if [ ${#missing[@]} -eq 0 ] && ! $mesa_missing; then
  say "all present"
  exit 0
fi

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo=(sudo)
  else
    say "not root: left out ${missing[*]:-}$($mesa_missing && echo ' mesa-vulkan-drivers>=25')"
    say "pictures need them; physics, the checker and the tests without pictures do not"
    exit 0
  fi
fi

. /etc/os-release
suite=()
if $mesa_missing && [ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ]; then
  list=/etc/apt/sources.list.d/bomb-backports.list
  if ! apt-cache policy 2>/dev/null | grep -q bookworm-backports; then
    # The mirror this machine already uses, so that a local mirror keeps working.
    mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null \
      | head -1 | tr -d ' ' || true)
    if [ -z "$mirror" ]; then
      say "no Debian mirror in /etc/apt/sources.list*: add one with bookworm-backports, then run this again"
      exit 1
    fi
    entry="deb $mirror bookworm-backports main"
    printf '+ echo %q > %s\n' "$entry" "$list"
    printf '%s\n' "$entry" | "${sudo[@]}" tee "$list" >/dev/null
  fi
  suite=(-t bookworm-backports)
fi

export DEBIAN_FRONTEND=noninteractive
run "${sudo[@]}" apt-get update -qq
if [ ${#missing[@]} -gt 0 ]; then
  run "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
if $mesa_missing; then
  run "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${suite[@]}" libvulkan1 mesa-vulkan-drivers
  major=$(mesa_major)
  if [ -z "$major" ] || [ "$major" -lt 25 ]; then
    say "this system's Mesa is ${major:-missing}; SAPIEN renders without a GPU only with 25 or newer"
  fi
fi
