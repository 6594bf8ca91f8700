"""The README of an export: what it is, how it was made, what its numbers mean."""

from pathlib import Path
from typing import Any

from bomb.disk.files import write_text
from bomb.exports.plan import ExportPlan
from bomb.exports.settings import ExportSettings
from bomb.exports.writer import Writer

README = "README.md"

_ACTIONS = {
    "delta": "x, y, z in [-1, 1] are added to the last commanded target, 1.0 being {step:g} mm; "
    "the gripper is an absolute opening, 0 closed, 1 open",
    "absolute": "x, y, z are the commanded target in metres; "
    "the gripper is an absolute opening, 0 closed, 1 open",
}


def write_readme(path: Path, writer: Writer, plan: ExportPlan, about: dict[str, Any]) -> None:
    """Writes ``README.md`` of a finished export."""
    settings, dataset = writer.settings, about["dataset"]
    step = 400 / writer.fps
    convention = _ACTIONS[settings.actions].format(step=step)
    rows = {
        "format": writer.words,
        "task": dataset["task"],
        "demonstrations": f"{len(plan.episodes)} episodes, {plan.frames()} frames at {writer.fps} Hz, "
        f"{len(plan.tasks)} instructions",
        "split": f"{dataset['split']}; held out: {', '.join(dataset['held_out']['sets']) or 'nothing'}",
        "played in": ", ".join(dataset["backends"]),
        "drawn by": f"{settings.backend}, cameras {', '.join(settings.cameras)}, "
        f"{settings.image_size[0]} x {settings.image_size[1]} (height x width)",
        "perturbations": _levels({**dataset["perturbations"], **settings.perturbations}),
        "actions": f"{settings.actions}: {convention}",
        "state": f"layout {about['state']['layout']} ({about['state']['format']}); feed the model the same",
        "frame of positions": "the robot's base: x forward, y left, z up",
        "moments": _moments(settings),
        "visual draws": f"{settings.visual_draws} of each demonstration, each an episode of its own",
        "no-ops": "dropped" if settings.drop_noops else "kept",
        "columns": ", ".join(settings.columns) or "none beside the format's own",
    }
    lines = [
        f"# {settings.name}",
        "",
        "Demonstrations of BOMB, the BOard Manipulation Benchmark. `bomb_export.json` has every setting.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {words} |" for name, words in rows.items()),
        "",
        *writer.readme(),
    ]
    write_text(path / README, "\n".join(lines).rstrip() + "\n")


def _moments(settings: ExportSettings) -> str:
    if settings.moments is not None:
        return f"{settings.moments} of each demonstration, spread over it: actions do not follow one another"
    if settings.every > 1:
        return f"every {settings.every} steps: actions between them are skipped"
    return "all"


def _levels(levels: dict[str, Any]) -> str:
    return ", ".join(f"{knob}: {level}" for knob, level in levels.items()) or "none"
