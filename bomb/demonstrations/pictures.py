"""Pictures of demonstrations, drawn from their states: in any engine, at any size, perturbed to the eye."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

import core
from bomb.demonstrations.demonstration import Demonstration
from bomb.demonstrations.settings import chosen_levels, environment_of
from bomb.disk.files import FileError
from core.errors import OptionError
from core.perturbations import KNOBS
from core.perturbations.base import WITHOUT_PHYSICS, Level, split_name
from core.perturbations.heldout import HELD_OUT
from core.task import Instruction, Span


class Renderer:
    """Draws the demonstrations of one dataset, one after another.

    Args:
        settings: of the dataset.
        backend: registered name of the engine that draws; any may draw the states of any.
        cameras: out of ``core.world.stage.CAMERAS``.
        image_size: (height, width) in pixels.
        modalities: out of ``rgb``, ``depth``, ``segmentation``.
        perturbations: knobs beside those that the dataset was collected with, as ``core.make_task`` takes
            them. They may change what is seen and said, not what happens.
        supersample: see ``core.make_task``.
        held_out: out of ``core.perturbations.heldout.HELD_OUT``: what the pictures must not
            show; None: as the dataset has it. A preset's held-out sets are replaced by what may be trained
            on.

    Raises:
        OptionError: for a knob that moves objects or changes physics or control, for a set that is held out,
            and if there is no camera.
        UnknownNameError, CapabilityError, RenderError: as ``core.make_task``.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        *,
        backend: str,
        cameras: tuple[str, ...] = ("head",),
        image_size: tuple[int, int] = (256, 256),
        modalities: tuple[str, ...] = ("rgb",),
        perturbations: object = None,
        supersample: int | None = None,
        held_out: tuple[str, ...] | None = None,
    ):
        if not cameras:
            raise OptionError("cameras is empty: nothing would be drawn; valid: head, front, wrist")
        added = visible_levels(perturbations, held_out_of(settings) if held_out is None else held_out)
        self._rewords = "words" in added
        environment = environment_of(
            settings,
            backend=backend,
            cameras=cameras,
            image_size=image_size,
            modalities=modalities,
            supersample=supersample,
            perturbations=(settings["perturbations"], added),
        )
        self._env = core.make_environment(environment)
        self._dressed: tuple[int, int] | None = None  # seed and visual draw that the world is dressed for

    def frames(self, demonstration: Demonstration, *, visual_draw: int = 0) -> Iterator[dict[str, Any]]:
        """What a policy would have seen before each action, T dicts.

        Each is an observation: ``images``, ``depth``, ``segmentation`` ({camera: array}, as far as asked
        for), ``state``, ``instruction``; and ``env``, the environment, which shows the
        moment until the next one.

        Args:
            demonstration: of the dataset.
            visual_draw: number of the draw of the knobs that change only what is seen and said; 0 is what the
                expert played in.

        Raises:
            FileError: if the task makes another episode of the seed than was recorded: another version of
                BOMB or of the task wrote it.
        """
        yield from self.moments(demonstration, range(demonstration.length), visual_draw=visual_draw)

    def moments(
        self, demonstration: Demonstration, rows: Iterable[int], *, visual_draw: int = 0
    ) -> Iterator[dict[str, Any]]:
        """As ``frames``, before the actions ``rows`` only.

        Raises:
            FileError: as ``frames``.
        """
        self._begin(demonstration, visual_draw)
        words = [one.text for one in self.instructions(demonstration, visual_draw=visual_draw)]
        for t in map(int, rows):
            self._env.show(demonstration.world(t), period=int(demonstration.periods[t]))
            seen = self._env.observe()
            seen["instruction"] = words[demonstration.instruction_index[t]]
            yield {**seen, "env": self._env}

    def views(
        self,
        demonstration: Demonstration,
        camera: str,
        rows: Iterable[int] | None = None,
        *,
        visual_draw: int = 0,
    ) -> Iterator[npt.NDArray[np.uint8]]:
        """The pictures of one camera, uint8[H, W, 3] each, before each action, or before those of ``rows``.

        Raises:
            RenderError: if the camera is not among the renderer's.
            FileError: as ``frames``.
        """
        self._begin(demonstration, visual_draw)
        for t in map(int, range(demonstration.length) if rows is None else rows):
            self._env.show(demonstration.world(t), period=int(demonstration.periods[t]))
            yield self._env.render_camera(camera).colors

    def instructions(self, demonstration: Demonstration, *, visual_draw: int = 0) -> list[Instruction]:
        """The words of every move with their spans: as recorded, or as the knob ``words`` says them here."""
        recorded = [
            Instruction(text=text, spans={name: Span(**span) for name, span in spans.items()})
            for text, spans in zip(demonstration.instructions, demonstration.about["spans"], strict=True)
        ]
        if not self._rewords:
            return recorded
        self._begin(demonstration, visual_draw)
        return [self._env.episode.instruction, *recorded[1:]]

    def close(self) -> None:
        """Frees the engine. A second call does nothing."""
        self._env.close()

    def _begin(self, demonstration: Demonstration, visual_draw: int) -> None:
        """Dresses the world for the demonstration's episode."""
        about, env = demonstration.about, self._env
        if self._dressed != (demonstration.seed, visual_draw):
            env.begin(seed=demonstration.seed, visual_draw=visual_draw)
            self._dressed = demonstration.seed, visual_draw
        drawn = {
            name: draw
            for name, draw in about["perturbation"].items()
            if name != "twin" and not (visual_draw and is_visible(name))
        }
        there = env.episode.perturbation
        if env.episode.state != demonstration.world(0) or any(there.get(k) != v for k, v in drawn.items()):
            raise FileError(
                f"the task {about['task']!r} makes another episode of seed {about['seed']} than was "
                "recorded: another version wrote the dataset"
            )


def held_out_of(settings: dict[str, Any]) -> tuple[str, ...]:
    """What the dataset with these settings leaves out, out of ``core.perturbations.heldout.HELD_OUT``."""
    return tuple(settings["held_out"]["sets"])


def is_visible(name: str) -> bool:
    """Whether a knob, ``name`` or ``name@camera``, changes only what is seen and said."""
    return KNOBS[split_name(name)[0]].touches in WITHOUT_PHYSICS


def visible_levels(perturbations: object, held_out: tuple[str, ...] = tuple(HELD_OUT)) -> dict[str, Level]:
    """The levels of knobs that change only what is seen and said.

    Args:
        perturbations: as ``core.make_task`` takes them, without condition sets.
        held_out: out of ``core.perturbations.heldout.HELD_OUT``; see
            ``bomb.demonstrations.settings.chosen_levels``.

    Raises:
        OptionError: for any other knob, listing those that may be turned; for a set that is held out.
        UnknownNameError: for an unknown one.
    """
    levels = chosen_levels(perturbations, held_out)
    for name in levels:
        knob = KNOBS[split_name(name)[0]]
        if not is_visible(name):
            valid = ", ".join(k for k, other in KNOBS.items() if other.touches in WITHOUT_PHYSICS)
            raise OptionError(
                f"{name} changes {knob.touches.value}, and the episode has been played; valid: {valid}"
            )
    return levels
