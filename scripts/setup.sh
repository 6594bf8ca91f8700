#!/usr/bin/env bash
# Sets the project up in .venv; repeatable, and quick where nothing has changed.
#
# Each step leaves a stamp in .venv/stamps that carries a hash of what it depends on, so a change of
# the lock file, of the build or of the C++ sources repeats the steps it concerns and no other.
# PYTHON chooses the interpreter (3.11 or newer) of a new environment.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
fresh() { [ -f ".venv/stamps/$1" ] && [ "$(cat ".venv/stamps/$1")" = "$2" ]; }
stamp() { mkdir -p .venv/stamps && printf '%s' "$2" > ".venv/stamps/$1"; }
hash_of() { cat "$@" | sha256sum | cut -c1-16; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 \
      && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s' "$candidate"
      return
    fi
  done
}

python=$(find_python)
PYTHON=${python:-python3} bash scripts/system_packages.sh
python=${python:-$(find_python)}
if [ -z "$python" ]; then
  say "Python 3.11 or newer is needed; set PYTHON to one" >&2
  exit 1
fi

if ! .venv/bin/python -c '' 2>/dev/null; then
  say "making .venv with $("$python" --version)"
  "$python" -m venv --clear .venv
fi
version=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')

key="$version-$(hash_of requirements.lock)"
if ! fresh packages "$key"; then
  say "installing the packages of requirements.lock"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
  stamp packages "$key"
fi

key="$version-$(hash_of pyproject.toml setup.py csrc/*)"
if ! fresh project "$key" || ! ls core/_checker.*.so >/dev/null 2>&1; then
  say "building the checker and installing the project (editable)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --no-deps --no-build-isolation --editable .
  stamp project "$key"
fi

key="$version-$(hash_of core/world/robot_visuals.py requirements.lock)-${BOMB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/bomb}"
if ! fresh meshes "$key"; then
  say "simplifying the robot's drawn meshes"
  .venv/bin/python -c 'from core.world.robot_visuals import robot_visuals; robot_visuals()'
  stamp meshes "$key"
fi
say "ready: .venv/bin/bomb --help"
