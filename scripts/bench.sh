#!/usr/bin/env bash
# Runs every benchmark in turn (never two at once: they time things) and leaves JSON in runs/bench/.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p runs/bench

shopt -s nullglob
failed=()
for file in benchmarks/[a-z]*.py; do
  grep -q '__main__' "$file" || continue # shared code
  name=$(basename "$file" .py)
  printf '\n== %s\n' "$name"
  .venv/bin/python -m "benchmarks.$name" --json "runs/bench/$name.json" || failed+=("$name")
done
if [ ${#failed[@]} -gt 0 ]; then
  printf '\nbenchmarks that failed or missed a bound: %s\n' "${failed[*]}" >&2
  exit 1
fi
