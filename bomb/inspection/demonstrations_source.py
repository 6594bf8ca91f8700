"""A dataset of BOMB's own, to be looked at."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.settings import action_spec_of
from bomb.exports.actions import converted
from bomb.inspection.sources import InspectedEpisode, Source, number_of, spread
from core.board.boards import COLORS

if TYPE_CHECKING:
    from bomb.demonstrations.pictures import Renderer


class Demonstrations(Source):
    """BOMB's own."""

    def __init__(self, path: Path):
        self.path, self._dataset = path, Dataset.open(path)
        settings = self._dataset.settings
        self.action_spec = action_spec_of(settings)
        self._renderer: Renderer | None = None  # until something is drawn
        self.about = {
            "task": settings["task"],
            "simulators": ", ".join(settings["backends"]),
            "split": settings["split"],
            "held out": ", ".join(settings["held_out"]["sets"]) or "nothing",
            "perturbations": ", ".join(f"{k}: {v}" for k, v in settings["perturbations"].items()) or "none",
            "diversity": str(settings["diversity"]),
            "actions": settings["action_mode"],
            "control": f"{settings['control_hz']} Hz",
            "failures kept aside": str(len(self._dataset.failures())),
        }

    def names(self) -> list[str]:
        return [f"seed {seed}" for seed in self._dataset.seeds()]

    def load(self, name: str) -> InspectedEpisode:
        demonstration = self._dataset.load(number_of(name))
        states = demonstration.observations[:-1]
        placements = demonstration.about["moves"]["placements"]
        goals = [_filled(done["goal"], done["board"]) for done in placements] or [demonstration.about["goal"]]
        cells = [(g["row"], g["column"]) for g in goals if g is not None and g["kind"] == "intersection"]
        return InspectedEpisode(
            name=name,
            states=states,
            actions=demonstration.actions,
            motions=converted(demonstration.actions, states[0, :3], self.action_spec, "delta"),
            instructions=tuple(demonstration.instructions),
            goals=tuple(cells),
        )

    def sample(self, name: str, moments: int, size: int) -> list[npt.NDArray[np.uint8]]:
        from bomb.demonstrations.pictures import Renderer

        demonstration = self._dataset.load(number_of(name))
        if self._renderer is None:
            backend = demonstration.about["backend"]
            self._renderer = Renderer(self._dataset.settings, backend=backend, image_size=(size, size))
        wanted = spread(demonstration.length, moments)
        frames = enumerate(self._renderer.frames(demonstration))
        return [frame["images"]["head"] for t, frame in frames if t in wanted]

    def close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()


def _filled(goal: dict[str, Any], after: list[list[int]]) -> dict[str, Any] | None:
    """The goal of a move; of a pattern, which names what is missing, the intersection that was filled."""
    if goal["kind"] != "pattern":
        return goal
    right = (s for s in goal["stones"] if after[s["row"]][s["column"]] == COLORS[s["color"]])
    return next(right, None)
