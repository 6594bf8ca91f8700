#!/usr/bin/env bash
# Runs the tests (15 minutes at most) and prints where the time went; arguments go to pytest.
# Without a graphics driver the tests that draw are left out, unless BOMB_REQUIRE_PICTURES is set.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p runs/test

pictures=()
if [ -z "${BOMB_REQUIRE_PICTURES:-}" ] \
  && ! .venv/bin/python -c 'from core.rendering.graphics import select_driver; select_driver()' 2>/dev/null; then
  printf 'tests: no Vulkan driver works here, so the tests that draw are left out\n'
  pictures=(-m 'not render')
fi

status=0
timeout --foreground "${BOMB_TEST_LIMIT_S:-900}" .venv/bin/python -m pytest "${pictures[@]}" \
  --durations=15 --durations-min=1 --junitxml=runs/test/junit.xml "$@" 2>&1 | tee runs/test/pytest.log || status=$?
if [ "$status" -eq 124 ]; then
  printf 'tests: stopped after %s s\n' "${BOMB_TEST_LIMIT_S:-900}" >&2
else
  .venv/bin/python -m scripts.time_table runs/test/junit.xml
  grep -E '^(=+ )?[0-9]+ (passed|failed|error|skipped).* in [0-9.]+s' runs/test/pytest.log | tail -1
fi
exit "$status"
