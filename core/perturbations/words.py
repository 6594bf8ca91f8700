"""What the robot is told, said otherwise; the goal stays the same, exact and one.

What a set's sentences are, and which it has, is the task's business (``Task.reword``); which sets there are
is ours.
"""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from core.backend import Capability
from core.errors import CapabilityError
from core.perturbations.base import Level, Perturbation, Touches
from core.task import Episode, Task, Wording
from core.world.scene import SceneSpec


class Words(Perturbation):
    """The instructions, those of later moves too, come from another set of sentences."""

    name: ClassVar[str] = "words"
    family: ClassVar[str] = "words"
    touches: ClassVar[Touches] = Touches.WORDS
    sets: ClassVar[dict[str, str]] = {
        "paraphrase_seen": "other sentences that may be trained on",
        "paraphrase_unseen": "sentences that are held out",
        "letters": "A to E for columns and 1 to 5 for rows, printed on the board",
        "spelled": "numbers in words",
        "ordinal": "rows counted from the top, columns from the left, from first to fifth",
        "action": "INT-ACT lang_action: another action is named (pick up ... and drop it off)",
        "negation": "INT-ACT lang_neg: another intersection is named and ruled out",
        "appearance": "INT-ACT lang_color and lang_shape: the dark or light disc instead of a stone's name",
        "common_sense": "INT-ACT lang_common: places (the middle of the board), the colours of coal and snow",
    }
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.LIVE_MATERIALS})

    def draw(self, rng: np.random.Generator, level: str) -> dict[str, Any]:
        return {"choice": float(rng.random()), "other": int(rng.integers(24))}

    def dress(self, scene: SceneSpec, draw: dict[str, Any]) -> SceneSpec:
        return replace(scene, board=replace(scene.board, labels=True)) if draw["set"] == "letters" else scene

    def arrange(self, episode: Episode, draw: dict[str, Any], task: Task) -> Episode:
        wording = Wording(words=draw["set"], choice=draw["choice"], other=draw["other"])
        moves = tuple(
            replace(move, instruction=task.reword(episode, move, wording)) for move in episode.moves
        )
        return replace(episode, moves=moves, wording=wording)

    def check_task(self, task: Task, level: Level) -> None:
        if level not in task.word_sets:
            raise CapabilityError(
                f"task {task.name!r} has no words {level!r}; "
                f"it has: {', '.join(sorted(task.word_sets)) or 'none'}"
            )
