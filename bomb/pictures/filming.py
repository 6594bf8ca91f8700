"""Episodes as pictures: what each simulator shows while the same thing is played in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

import core
from bomb.pictures.images import captioned, grid
from bomb.rollouts.rollout import EpisodeResult
from bomb.statistics.formats import fixed
from core.environment import Environment
from core.settings import EnvironmentSettings

# What a contact sheet shows, in order; the first frame at which each flag of the verdict held.
MOMENTS = ("start", "grasped", "lifted", "end")


@dataclass(kw_only=True, eq=False)
class Film:
    """The frames of one episode in one simulator.

    Attributes:
        backend: its registered name.
        frames: uint8[H, W, 3] each, the reset first.
        moments: index of the frame at which a moment was reached.
        result: how the episode went.
    """

    backend: str
    frames: list[npt.NDArray[np.uint8]]
    moments: dict[str, int]
    result: EpisodeResult

    @property
    def outcome(self) -> str:
        """The end in a few words."""
        return outcome(self.result)


def outcome(result: EpisodeResult) -> str:
    """How an episode ended, in a few words."""
    verdict = result.info["placement"]
    if not verdict["success"]:
        return str(verdict["reason"]).replace("_", " ")
    distance = verdict["distance_mm"]
    return "placed" if distance is None else f"placed, {fixed(distance, unit='mm')} off"


def film(
    settings: EnvironmentSettings,
    perform: Callable[[Environment, Callable[..., Any]], EpisodeResult],
    *,
    every: int = 1,
    finish: Callable[[Environment, str, npt.NDArray[np.uint8]], npt.NDArray[np.uint8]] | None = None,
) -> Film:
    """Films an episode.

    Args:
        settings: of the environment; its first camera films.
        perform: plays the episode, called as ``perform(env, watch)``.
        every: draw each ``every``-th step only, and the moments.
        finish: what is drawn over a frame, called as ``finish(env, camera, frame)``; returns another one.

    Raises:
        RenderError: if no graphics driver works.
    """
    frames: list[npt.NDArray[np.uint8]] = []
    moments: dict[str, int] = {}
    step, camera = -1, settings.cameras[0]

    def look(env: Environment) -> npt.NDArray[np.uint8]:
        frame = env.render_camera(camera, ("rgb",)).colors
        return frame if finish is None else finish(env, camera, frame)

    def watch(env: Environment, info: dict[str, Any]) -> None:
        nonlocal step
        step += 1
        stages = {"start": step == 0, **info["stage"]}
        new = [name for name in MOMENTS if stages.get(name) and name not in moments]
        if new or step % every == 0:
            frames.append(look(env))
            for name in new:
                moments[name] = len(frames) - 1

    # No modality: observations stay free of pictures, and only the frames that are wanted are drawn.
    env = core.make_environment(replace(settings, modalities=()))
    try:
        result = perform(env, watch)
        frames.append(look(env))
        moments["end"] = len(frames) - 1
    finally:
        env.close()
    return Film(backend=settings.backend, frames=frames, moments=moments, result=result)


def contact_sheet(films: Iterable[Film]) -> npt.NDArray[np.uint8]:
    """One row per simulator, one column per moment that any of them reached."""
    films = list(films)
    names = [name for name in MOMENTS if any(name in made.moments for made in films)]
    rows = []
    for made in films:
        row = []
        for name in names:
            words = made.outcome if name == "end" else name
            if name in made.moments:
                row.append(captioned(made.frames[made.moments[name]], f"{made.backend}: {words}"))
            else:
                row.append(captioned(np.full_like(made.frames[0], 230), f"{made.backend}: not {words}"))
        rows.append(row)
    return grid(rows)


def side_by_side(films: Iterable[Film], *, columns: int | None = None) -> Iterable[npt.NDArray[np.uint8]]:
    """Frames of all simulators next to each other; a film that ends early keeps its last frame.

    Args:
        films: at least one.
        columns: how many stand in a row; None: all.
    """
    films = list(films)
    columns = columns or len(films)
    for k in range(max(len(made.frames) for made in films)):
        shown = [
            captioned(made.frames[min(k, len(made.frames) - 1)], made.backend + ending(made, k))
            for made in films
        ]
        yield grid([shown[first : first + columns] for first in range(0, len(shown), columns)])


def ending(made: Film, k: int) -> str:
    """What is said under the last frames of a film."""
    return f": {made.outcome}" if k >= len(made.frames) - 1 else ""
