"""How right the whole network is about scenes that it did not learn from."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from bomb.models.small.family import SmallVLA
from bomb.training.measuring import Answers, summed_up
from bomb.training.small.scenes import Scene, about
from bomb.training.small.together import looked, taught

ASKED = 4  # times that each scene is asked about, in other words and moments
SEED = 11  # of what is asked, so that all checkpoints are asked the same
BATCH = 16


def measured(
    vla: SmallVLA, scenes: Sequence[Scene], teacher: nn.Module, looks: int, seed: int
) -> dict[str, Any]:
    """Errors at the last of several looks, of pictures as they were drawn.

    What is right is what the teacher would do that knows where the stone and the goal are. A stone that the
    network takes for another one counts as an error here, other than in its loss.

    Args:
        vla: that is asked.
        scenes: held out.
        teacher: the hand that the network learns from.
        looks: moments of a scene in a row; the last is measured.
        seed: of the training.

    Returns:
        As ``bomb.training.measuring.summed_up``, of way points in ways of one control period at full speed
        (20 mm at 20 Hz), and of openings; and ``errors``: medians in mm of ``goal`` and ``stone``.

    Raises:
        OptionError: if an answer is not finite.
    """
    rng = np.random.default_rng([seed, SEED])
    made, right, losses = [], [], []
    errors: dict[str, list[float]] = {"goal": [], "stone": []}
    asked = [scene for scene in scenes for _ in range(ASKED)]
    with torch.no_grad():
        for first in range(0, len(asked), BATCH):
            chosen = asked[first : first + BATCH]
            told = [about(scene, looks, rng) for scene in chosen]
            last = looked(vla, chosen, told, None)[-1]
            places = [one.stone for one in told]
            stone = torch.stack(
                [
                    last.stone[k] if place is None else torch.from_numpy(place.astype(np.float32))
                    for k, place in enumerate(places)
                ]
            )
            targets, openings = taught(vla, last, teacher, stone)
            valid = torch.ones(targets.shape[:2], dtype=torch.bool)
            losses += vla.chunk_loss(last.answer, targets, openings.sigmoid(), valid).samples.tolist()
            said = last.answer
            made.append(torch.cat([said.targets / vla.max_step, said.openings.sigmoid()[..., None]], 2))
            right.append(torch.cat([targets / vla.max_step, openings.sigmoid()[..., None]], 2))
            errors["goal"] += (1000 * (said.goal - last.goal).norm(dim=1)).tolist()
            free = torch.tensor([place is not None for place in places])
            errors["stone"] += (1000 * (said.stone - stone).norm(dim=1))[free].tolist()
    answers = Answers(
        made=torch.cat(made).double().numpy(), right=torch.cat(right).double().numpy(),
        valid=np.ones((len(asked), right[0].shape[1]), dtype=bool),
        stages=np.full(len(asked), -1), losses=np.array(losses), metrics={},
    )  # fmt: skip
    return {
        **summed_up(answers, vla.codec.groups),
        "errors": {name: float(np.median(v)) if v else None for name, v in errors.items()},
    }


def errors_of(
    vla: SmallVLA, scenes: Sequence[Scene], looks: int, seed: int, batch: int = 16
) -> dict[str, Any]:
    """How far off goal, stone and way points are at the last of several looks (mm), median and 90th
    percentile.

    Goals count while a stone is carried near them, stones while the empty hand is near them.
    """
    rng = np.random.default_rng([seed, 9])
    found: dict[str, list[float]] = {
        "goal, first look": [],
        "goal, over it": [],
        "stone, first look": [],
        "stone, over it": [],
    }
    with torch.inference_mode():
        for first in range(0, len(scenes), batch):
            chosen = list(scenes[first : first + batch])
            seen = looked(vla, chosen, [about(scene, looks, rng) for scene in chosen], None)
            for when, one in (("first look", seen[0]), ("over it", seen[-1])):
                tool, holds = one.moment.states[:, :2], one.moment.holds[:, 0] > 0
                for name, said, right, counts in (
                    (
                        "goal",
                        one.answer.goal,
                        one.goal,
                        torch.ones_like(holds) if when == "first look" else holds,
                    ),
                    ("stone", one.answer.stone, one.stone, ~holds & one.found),
                ):
                    near = (right - tool).norm(dim=1) < 0.04 if when == "over it" else torch.ones_like(holds)
                    away = 1000 * (said - right).norm(dim=1)
                    found[f"{name}, {when}"] += away[near & counts].tolist()
    return {
        name: {
            "median_mm": round(float(np.median(v)), 2),
            "p90_mm": round(float(np.percentile(v, 90)), 2),
            "n": len(v),
        }
        for name, v in found.items()
        if v
    }
