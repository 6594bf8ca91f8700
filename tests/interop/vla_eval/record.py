"""Records the expert in MuJoCo, and how its actions end in both simulators: ``record.py FOLDER FIRST COUNT``.

Writes ``actions.npz`` (policy's seed to float32[N, 4]) and ``expected.json``: for the actions as they are
("exact") and with a gripper that is either open or closed ("binary"), by simulator and seed, the verdict.
"""

import json
import sys
from pathlib import Path

import numpy as np

import bomb
import core
from bomb.rollouts.rollout import replay
from core.seeding import policy_seed

OPTIONS = {"cameras": (), "split": "ci", "stop_on_success": True}

folder, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
seeds = range(first, first + count)
with core.make_task("place_stone", backend="mujoco", **OPTIONS) as env:
    expert = bomb.make_policy("expert")
    actions = {seed: bomb.play(env, expert, seed).record.actions for seed in seeds}
np.savez(folder / "actions.npz", **{str(policy_seed("ci", seed)): series for seed, series in actions.items()})


def binary(series: np.ndarray) -> np.ndarray:
    series = series.copy()
    series[:, 3] = series[:, 3] >= 0.5
    return series


expected = {"exact": {}, "binary": {}}
for backend in core.list_backends():
    with core.make_task("place_stone", backend=backend, **OPTIONS) as env:
        for kind, change in (("exact", lambda series: series), ("binary", binary)):
            verdicts = {}
            for seed in seeds:
                series = change(actions[seed])
                # The server repeats the last action until the episode ends.
                placement = replay(env, seed, np.vstack([series, np.tile(series[-1], (400, 1))])).info[
                    "placement"
                ]
                verdicts[str(seed)] = {key: placement[key] for key in ("success", "reason", "distance_mm")}
            expected[kind][backend] = verdicts
(folder / "expected.json").write_text(json.dumps(expected))
