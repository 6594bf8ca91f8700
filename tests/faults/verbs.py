"""Runs one verb of ``bomb`` after another that writes below a folder, and prints what came of each as JSON.

``python -m tests.faults.verbs FOLDER DATASET RUN RESULTS NAME...``: a folder that cannot be written;
elsewhere are a dataset, a run, and one as results want it; the verbs that are tried.
"""

import contextlib
import io
import json
import sys
import traceback
from pathlib import Path

from bomb.cli import main

QUICK = (
    *("evaluate", "evaluate, json", "report", "report, csv", "results", "collect", "render, mp4"),
    *("render, png", "export, lerobot", "export, v2.1", "explain", "inspect", "rescore", "view, png"),
    *("view, mp4", "gallery", "models"),
)
SLOW = ("demo", "parity", "replay", "doctor")


def commands(folder: Path, dataset: str, run: str, whole: str) -> dict[str, tuple[str, ...]]:
    """What is asked of each verb, by name."""
    small = ("--episodes", "1", "--split", "ci", "--workers", "1")
    played = ("--backend", "mujoco", "--cameras", "none", "--max-steps", "2", *small)
    render = ("render", dataset, "--backend", "mujoco", "--image-size", "32", "--out")
    export = ("export", dataset, "--image-size", "32", "--out")
    explained = ("--backend", "mujoco", "--seeds", "0", "--split", "ci", "--grid", "2", "--swaps", "1")
    view = ("view", "--backend", "mujoco", "--seed", "0", "--max-steps", "2", "--size", "32", "32", "--out")
    return {
        "demo": ("demo", "--no-pictures", "--episodes", "1", "--out", folder / "demo"),
        "parity": (
            *("parity", "--rows", "arm_rms_mm", "--episodes", "1", "--workers", "0"),
            *("--json", folder / "parity.json"),
        ),
        "evaluate": ("evaluate", "--policy", "hold", *played, "--out", folder / "run"),
        "evaluate, json": ("evaluate", "--policy", "hold", *played, "--json", folder / "run.json"),
        "report": ("report", run, "--out", folder / "page.html"),
        "report, csv": ("report", run, "--format", "csv", "--out", folder / "page.csv"),
        "results": ("results", whole, "--write", folder / "results.md"),
        "collect": ("collect", "--backend", "mujoco", *small, "--out", folder / "data"),
        "render, mp4": (*render, folder / "seen"),
        "render, png": (*render, folder / "drawn", "--format", "png"),
        "replay": ("replay", dataset, "--json", folder / "replay.json"),
        "export, lerobot": (*export, folder / "le", "--format", "lerobot"),
        "export, v2.1": (*export, folder / "v2", "--format", "lerobot-v2.1", "--pictures", "png"),
        "explain": ("explain", "--policy", "hold", *explained, "--out", folder / "why"),
        "inspect": ("inspect", dataset, "--out", folder / "inspect.html"),
        "rescore": ("rescore", run, "--json", folder / "rescore.json"),
        "view, png": (*view, folder / "seed.png"),
        "view, mp4": (*view, folder / "seed.mp4"),
        "gallery": ("gallery", "--backend", "mujoco", "--knobs", "camera_orbit", "--size", "32",
                    "--out", folder / "gallery.png"),
        "doctor": ("doctor", "--json", folder / "doctor.json"),
        "models": ("models", "list", "--json", folder / "models.json"),
    }  # fmt: skip


def outcome(words: tuple[object, ...]) -> dict[str, object]:
    """Status of a command, and what it said."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status: object = main([str(word) for word in words])
        except BaseException:
            status = traceback.format_exc()
    return {"status": status, "out": out.getvalue(), "err": err.getvalue()}


if __name__ == "__main__":
    folder, *stored = sys.argv[1:5]
    for name in sys.argv[5:]:
        print(json.dumps({"name": name, **outcome(commands(Path(folder), *stored)[name])}), flush=True)
