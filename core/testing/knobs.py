"""How an episode is perturbed: the board may lie elsewhere, words may be others; what is asked for stays."""

from collections.abc import Iterable
from typing import Any

from core.board.layout import board_of
from core.perturbations import KNOBS
from core.perturbations.base import HIGHEST
from core.perturbations.presets import make_suite
from core.task import Episode, Task
from core.testing.game import check_game
from core.testing.promise import require
from core.testing.start import check_layout
from core.world.scene import SceneSpec


def check_knobs(task: Task, scene: SceneSpec, seeds: Iterable[int], split: str) -> None:
    """Under every knob of layout and words that the task declares, its episodes keep the contract.

    Raises:
        TaskCheckError: naming the seed.
    """
    for seed in seeds:
        clean = task.make_episode(scene, split=split, seed=seed)
        for name in sorted(task.layout_knobs):
            for level in KNOBS[name].sets or (1, HIGHEST):
                check_layout(episode := _perturbed(task, scene, {name: level}, clean))
                require(episode.goal == clean.goal, episode, f"{name} leaves the goal as it is")
                if name in ("board_pose", "stone_position"):
                    same = board_of(episode.state, episode.scene) == board_of(clean.state, clean.scene)
                    require(same, episode, f"{name} leaves stones on their intersections")
                check_game(task, episode)
        for words in sorted(task.word_sets):
            episode = _perturbed(task, scene, {"words": words}, clean)
            require(
                episode.state == clean.state and episode.goal == clean.goal,
                episode,
                "words change words alone",
            )
            check_game(task, episode)


def _perturbed(task: Task, scene: SceneSpec, levels: dict[str, Any], clean: Episode) -> Episode:
    suite = make_suite(levels)
    return suite.episode(task, suite.prepare(scene), split=clean.split, seed=clean.seed)
