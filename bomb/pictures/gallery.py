"""What perturbations look like: one picture, knob by severity, in every simulator side by side."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from bomb.pictures.images import captioned, grid
from core.backend import CameraImage
from core.errors import OptionError
from core.perturbations import KNOBS
from core.perturbations.base import SEVERITIES, Level, Perturbation, Touches
from core.perturbations.presets import make_suite
from core.perturbations.suite import Suite
from core.registry import BACKENDS, TASKS
from core.task import Episode
from core.world.stage import CAMERAS, clean_scene

# What cannot be seen in a picture of the reset.
UNSEEN = frozenset({Touches.WORDS, Touches.PHYSICS, Touches.CONTROL})


class Studio:
    """One world in one simulator that every perturbation can be shown in, one after the other.

    Nothing is built anew between pictures: every change is made in place, as between the episodes of an
    environment. Close it when done.
    """

    def __init__(
        self,
        backend: str,
        *,
        task: str = "place_stone",
        cameras: Sequence[str] = ("head",),
        image_size: tuple[int, int] = (128, 128),
        supersample: int = 1,
    ) -> None:
        self.name = backend
        self._task = TASKS.load(task)()
        every = Suite(levels={name: knob.check(levels_of(knob)[-1]) for name, knob in KNOBS.items()})
        self.scene = every.prepare(self._task.stage(clean_scene(tuple(cameras))))
        self.backend = BACKENDS.load(backend)()
        self.backend.build(self.scene, image_size=image_size, supersample=supersample)

    def reset(self, perturbations: object, seed: int, *, split: str = "ci") -> tuple[Episode, Suite]:
        """Begins the episode of a seed with perturbations as ``core.make_task`` takes them."""
        suite = make_suite(perturbations)
        episode = suite.episode(self._task, self.scene, split=split, seed=seed)
        self.backend.reset(episode.scene, episode.state)
        return episode, suite

    def picture(
        self,
        perturbations: object,
        seed: int,
        *,
        split: str = "ci",
        camera: str = "head",
        modalities: tuple[str, ...] = ("rgb",),
    ) -> CameraImage:
        """The first picture of an episode, as a policy would get it."""
        episode, suite = self.reset(perturbations, seed, split=split)
        return suite.develop(episode, camera, 0, self.backend.render(camera, modalities))

    def close(self) -> None:
        """Frees the simulator."""
        self.backend.close()


def levels_of(knob: Perturbation) -> list[Level]:
    """Severities 1 to 5, or the sets."""
    return list(knob.sets) or list(SEVERITIES[1:])


def gallery(
    backends: Sequence[str],
    knobs: Sequence[str],
    *,
    seed: int,
    split: str = "ci",
    size: int = 112,
    camera: str = "head",
    report: Callable[[str], None] = lambda knob: None,
) -> npt.NDArray[np.uint8]:
    """A row for every knob: the clean world and then its levels, each in every simulator.

    Raises:
        OptionError: if no knob is left that a picture shows.
    """
    knobs = [name for name in knobs if KNOBS[name].touches not in UNSEEN]
    if not knobs:
        raise OptionError("a picture shows none of these perturbations")
    studios = [
        Studio(name, cameras=tuple(CAMERAS), image_size=(size, size), supersample=4) for name in backends
    ]
    widest = max(len(levels_of(KNOBS[name])) for name in knobs)
    rows = []
    try:
        for knob in knobs:
            row = []
            for level in (0, *levels_of(KNOBS[knob])):
                pictures = [
                    studio.picture({knob: level}, seed, split=split, camera=camera).colors
                    for studio in studios
                ]
                words = f"{knob}: {'clean' if level == 0 else level}"
                row.append(captioned(np.concatenate(pictures, axis=1), words))
            row += [np.full_like(row[0], 250)] * (widest + 1 - len(row))
            rows.append(row)
            report(knob)
    finally:
        for studio in studios:
            studio.close()
    return grid(rows)
