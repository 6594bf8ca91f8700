#!/usr/bin/env bash
# Builds the checker with the address and undefined-behaviour sanitizers, in a folder of its own, and
# runs its tests against that build. The extension in core/ stays as it is.
#
#     scripts/test_sanitized.sh [arguments for pytest]
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python="${PYTHON:-$root/.venv/bin/python}"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

# A copy of the little that the build and the tests need, so that nothing else is imported by chance.
mkdir -p "$folder/core/judge" "$folder/tests"
cp -r "$root/csrc" "$folder/csrc"
cp "$root/setup.py" "$folder/"
cp "$root/core/judge/checker.py" "$folder/core/judge/"
cp "$root/core/errors.py" "$folder/core/" # the checker's tolerances refuse by it
cp -r "$root/tests/csrc" "$folder/tests/csrc"
touch "$folder/core/__init__.py" "$folder/core/judge/__init__.py" "$folder/tests/__init__.py"
printf '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib --strict-markers"\n' > "$folder/pyproject.toml"

cd "$folder"
echo "building with sanitizers"
BOMB_SANITIZE=1 "$python" setup.py --quiet build_ext --inplace > build.log 2>&1 || { cat build.log; exit 1; }

# The sanitizers' libraries must be loaded before Python; leaks are Python's own business, and the
# C++ library must be there when they look for the functions that throw.
compiler="${CXX:-g++}"
preload="$("$compiler" -print-file-name=libasan.so):$("$compiler" -print-file-name=libubsan.so):$("$compiler" -print-file-name=libstdc++.so)"
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONPATH="$folder"
LD_PRELOAD="$preload" "$python" -c '
import core._checker
maps = open("/proc/self/maps").read()
assert core._checker.__file__.startswith("'"$folder"'"), core._checker.__file__
assert "libasan" in maps and "libubsan" in maps, "the sanitizers are not loaded"
'
LD_PRELOAD="$preload" "$python" -m pytest tests/csrc -q -p no:cacheprovider "$@"
