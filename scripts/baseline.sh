#!/usr/bin/env bash
# Rebuilds the policies `keypoint` and `small-vla` from nothing: collects, draws, trains, and puts the results where
# BOMB plays them from. `small-vla` begins with the eyes of `keypoint`.
# Every step resumes. Needs torch: .venv/bin/pip install torch==2.13.0, and the extra [vla].
set -euo pipefail
cd "$(dirname "$0")/.."

python="${BOMB_PYTHON:-.venv/bin/python}"
out="${BOMB_BASELINE:-runs/baseline}"
shipped=bomb/models/keypoint/shipped

"$python" -c 'import torch, safetensors, yaml' || {
  printf 'baseline: torch is missing: %s -m pip install torch==2.13.0 safetensors pyyaml\n' "$python" >&2
  exit 1
}
mkdir -p "$out"
"$python" -m bomb collect --episodes 200 --backend mujoco,robotwin --seed 0 --diversity low \
  --perturbations board_pose:4+stone_position:4+stone_amount:4 --out "$out/varied"
"$python" -m bomb collect --episodes 80 --backend mujoco,robotwin --seed 10000 --out "$out/clean"
"$python" -m bomb train recipes/small-keypoint.yaml --data "$out/varied" "$out/clean" \
  --out "$out/training" --frames "$out/looks"
mkdir -p "$shipped"
cp "$out/training/keypoint.safetensors" "$out/training/keypoint.json" "$shipped/"
printf 'baseline: %s is new; `bomb evaluate --policy keypoint` plays it\n' "$shipped"
"$python" -m bomb train recipes/small-vla.yaml --data "$out/varied" "$out/clean" \
  --start "$shipped/keypoint.safetensors" --out "$out/small-vla" --frames "$out/looks"
shipped=bomb/models/small/shipped
rm -rf "$shipped"
cp -r "$out/small-vla/chosen" "$shipped"
printf 'baseline: %s is new; `bomb evaluate --policy small-vla` plays it\n' "$shipped"
