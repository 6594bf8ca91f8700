#!/usr/bin/env bash
# Installs the built wheel into a fresh environment and uses it from outside of the checkout.
#
# Catches what an editable install hides: a package missing from the explicit list, a data file left
# out, an entry point that does not load. Foreign readers and runners join here, each in its own
# environment. Each scenario prints its time.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
times=()

timed() {
  local name=$1 start=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  "$@"
  times+=("$(printf '%8d s  %s' $((SECONDS - start)) "$name")")
}

build_wheel() {
  # From a copy without what was built, so that a stale build/ folder cannot lend it files.
  mkdir "$work/source"
  tar --exclude=./.git --exclude=./.venv --exclude=./build --exclude=./runs --exclude='*.so' \
    --exclude='*.egg-info' -cf - . | tar -xf - -C "$work/source"
  "$root/.venv/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
    --wheel-dir "$work/wheel" "$work/source"
}

install_wheel() {
  "$root/.venv/bin/python" -m venv "$work/venv"
  "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint "$root/requirements.lock" "$work"/wheel/*.whl
}

use_wheel() {
  mkdir "$work/elsewhere"
  cp "$root/scripts/interop/installed.py" "$work/elsewhere/"
  cd "$work/elsewhere"
  "$work/venv/bin/bomb" --help >/dev/null
  "$work/venv/bin/bomb" tasks
  "$work/venv/bin/bomb" backends
  "$work/venv/bin/python" installed.py "$root"
  cd "$root"
}

use_in_fresh_environments() {
  BOMB_WHEELS="$work/wheel" "$root/.venv/bin/python" -m pytest tests/interop -m "not commands" --durations=0 -q
}

timed "a browser" bash scripts/browser_package.sh
timed "build the wheel" build_wheel
timed "install it in a fresh environment" install_wheel
timed "use it from outside of the checkout" use_wheel
timed "foreign code in fresh environments" use_in_fresh_environments

printf '\ninterop: all passed\n'
printf '%s\n' "${times[@]}"
