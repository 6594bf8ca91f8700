"""The folder of a training.

::

    OUT/recipe.json                    the recipe, as it was read
    OUT/metrics.jsonl, OUT/index.html  numbers, and a page with them
    OUT/checkpoints/step_000500        to play: `--policy "vla(checkpoint='...')"`
    OUT/state/step_000500              to resume from
    OUT/chosen, OUT/selection.json     the checkpoint that the rule chose, and why
"""

from pathlib import Path

RECIPE, CHECKPOINTS, LOCK = "recipe.json", "checkpoints", ".bomb_train.lock"
CHOSEN, SELECTION = "chosen", "selection.json"


def step_folder(out: Path, kind: str, step: int) -> Path:
    """Where something of a step is."""
    return out / kind / f"step_{step:06d}"


def steps_in(out: Path, kind: str) -> list[int]:
    """Steps of which there is something, ascending."""
    found = (folder.name.removeprefix("step_") for folder in (out / kind).glob("step_*"))
    return sorted(int(digits) for digits in found if digits.isdecimal())
