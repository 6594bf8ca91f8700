#!/usr/bin/env bash
# What every change must pass before it is sent, in under a minute: format, lint, types, import rules.
#
#     scripts/check.sh             all of them, each with its time
#     scripts/check.sh STEP...     some of them; .pre-commit-config.yaml calls each by its name
set -euo pipefail
cd "$(dirname "$0")/.."

check_format() { .venv/bin/ruff format --check --quiet .; }
check_lint() { .venv/bin/ruff check --quiet .; }
check_types() { .venv/bin/mypy --no-error-summary; } # what it reads, and how strictly: pyproject.toml
check_imports() { .venv/bin/python -m pytest -q --no-header -p no:cacheprovider tests/test_imports.py tests/test_docs.py; }

steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(format lint types imports)
failed=()
for step in "${steps[@]}"; do
  if ! declare -F "check_$step" >/dev/null; then
    printf 'check: no step %s; valid: format, lint, types, imports\n' "$step" >&2
    exit 2
  fi
  start=$SECONDS
  "check_$step" || failed+=("$step")
  printf 'check: %-8s %3d s\n' "$step" $((SECONDS - start))
done
if [ ${#failed[@]} -gt 0 ]; then
  printf 'check: failed: %s (make format rewrites what ruff can)\n' "${failed[*]}" >&2
  exit 1
fi
printf 'check: all passed\n'
