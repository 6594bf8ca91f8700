"""Demonstrations as the hand learns them, with the scenes that tell where their boards lie."""

from collections.abc import Callable, Collection, Sequence

import core
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.settings import action_spec_of, environment_of
from bomb.training.keypoint.hand import Way, way_of
from bomb.training.keypoint.scenes import MomentChooser, board_in_base


def ways_of(
    datasets: Sequence[Dataset], taken: Callable[[Dataset], Collection[int]] | None = None
) -> list[Way]:
    """All demonstrations whose stone was grasped, in the order of datasets and seeds.

    Args:
        datasets: of `bomb collect`.
        taken: tells which seeds of a dataset are meant; None: all.

    Raises:
        FileError: naming an episode that cannot be read.
    """
    ways = []
    for dataset in datasets:
        settings = dataset.settings
        made = environment_of(
            settings, backend=settings["backends"][0], cameras=(), perturbations=settings["perturbations"]
        )
        wanted = sorted(dataset.seeds() if taken is None else taken(dataset))
        with core.make_environment(made) as env:
            for seed in wanted:
                env.begin(seed=seed)
                scene = env.episode.scene
                chooser = MomentChooser(scene)
                board = board_in_base(scene, chooser)
                way = way_of(dataset.load(seed), action_spec_of(settings), board, chooser.to_base)
                if way is not None:
                    ways.append(way)
    return ways
