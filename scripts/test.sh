#!/usr/bin/env bash
# Runs the tests, as many at a time as there are cores, and prints where the time went; arguments go to pytest.
#
# BOMB_TEST_WORKERS    processes, "auto" if not set (tests/conftest.py: the cores, eight at most); 0: this one
# BOMB_TEST_LIMIT_S    stops the run after so many seconds; CI sets it, otherwise nothing stops it
# BOMB_REQUIRE_PICTURES  fails where no graphics driver works, instead of leaving out the tests that draw
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p runs/test
# Some hundred processes are started: where this is set, each would compile every module again.
unset PYTHONDONTWRITEBYTECODE

pictures=()
if [ -z "${BOMB_REQUIRE_PICTURES:-}" ] \
  && ! .venv/bin/python -c 'from core.rendering.graphics import find_device; find_device()' 2>/dev/null; then
  printf 'tests: no Vulkan driver works here, so the tests that draw are left out\n'
  pictures=(-m 'not render')
fi

limit=()
stuck=()
if [ -n "${BOMB_TEST_LIMIT_S:-}" ]; then
  limit=(timeout --foreground "$BOMB_TEST_LIMIT_S")
  stuck=(--timeout "$((BOMB_TEST_LIMIT_S / 4))") # one test that hangs is named before the whole is stopped
fi

run_pytest() {
  "${limit[@]}" .venv/bin/python -m pytest -n "${BOMB_TEST_WORKERS:-auto}" --dist worksteal \
    --durations=20 --durations-min=0 --junitxml=runs/test/junit.xml "${pictures[@]}" "${stuck[@]}" "$@" 2>&1 \
    | tee runs/test/pytest.log
}

status=0
TIMEFORMAT='%R %U %S'
{ time run_pytest "$@" 2>&3; } 3>&2 2>runs/test/times.txt || status=$?
if [ "$status" -eq 124 ]; then
  printf 'tests: stopped after %s s\n' "$BOMB_TEST_LIMIT_S" >&2
else
  .venv/bin/python -m scripts.time_table runs/test/junit.xml
  awk '{ printf "tests: %.1f CPU-minutes in %.1f minutes\n", ($2 + $3) / 60, $1 / 60 }' runs/test/times.txt
  grep -E '^(=+ )?[0-9]+ (passed|failed|error|skipped).* in [0-9.]+s' runs/test/pytest.log | tail -1
fi
exit "$status"
