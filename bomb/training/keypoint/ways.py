"""Demonstrations as the hand learns them, with the scenes that tell where their boards lie."""

from collections.abc import Sequence

import core
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.settings import action_spec_of, environment_of
from bomb.training.keypoint.hand import Way, way_of
from bomb.training.keypoint.scenes import MomentChooser, board_in_base


def ways_of(datasets: Sequence[Dataset]) -> list[Way]:
    """All demonstrations whose stone was grasped, in the order of datasets and seeds.

    Raises:
        FileError: naming an episode that cannot be read.
    """
    ways = []
    for dataset in datasets:
        settings = dataset.settings
        made = environment_of(
            settings, backend=settings["backends"][0], cameras=(), perturbations=settings["perturbations"]
        )
        with core.make_environment(made) as env:
            for seed in dataset.seeds():
                env.begin(seed=seed)
                scene = env.episode.scene
                chooser = MomentChooser(scene)
                board = board_in_base(scene, chooser)
                way = way_of(dataset.load(seed), action_spec_of(settings), board, chooser.to_base)
                if way is not None:
                    ways.append(way)
    return ways
