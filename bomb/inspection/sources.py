"""Episodes of a dataset, whatever it is kept in."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bomb.demonstrations.dataset import SETTINGS_FILE, Dataset
from bomb.demonstrations.settings import action_spec_of
from bomb.disk.files import FileError
from bomb.exports.actions import converted
from core.board.boards import COLORS, Cell
from core.control.actions import ActionSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class InspectedEpisode:
    """One episode as it is looked at.

    Attributes:
        name: says which, for people.
        states: float32[N, 4], tool centre point (m, in R) and opening, before each action.
        actions: float32[N, 4], in the convention of the dataset.
        motions: float32[N, 4], the actions in the delta convention.
        instructions: in the order in which they were given.
        goals: intersections that were asked for; None where the dataset does not say.
        pictures: hash of each frame's pictures, where they are stored one by one; else empty.
    """

    name: str
    states: np.ndarray
    actions: np.ndarray
    motions: np.ndarray
    instructions: tuple[str, ...]
    goals: tuple[Cell, ...] | None
    pictures: tuple[str, ...] = ()


class Source(ABC):
    """A dataset to look at.

    Attributes:
        path: its folder.
        about: what is known of it, plain values by their names.
        action_spec: what its actions mean.
    """

    path: Path
    about: dict[str, str]
    action_spec: ActionSpec

    @abstractmethod
    def names(self) -> list[str]:
        """Of all episodes."""

    @abstractmethod
    def load(self, name: str) -> InspectedEpisode:
        """An episode.

        Raises:
            FileError: naming the file and what is wrong with it.
        """

    @abstractmethod
    def sample(self, name: str, moments: int, size: int) -> list[np.ndarray]:
        """Pictures of an episode, evenly spread from its first frame to its last: uint8[H, W, 3].

        Args:
            name: of the episode.
            moments: how many.
            size: side in pixels, of what has to be drawn.

        Raises:
            RenderError: if they have to be drawn, and no graphics driver works.
        """

    def close(self) -> None:  # noqa: B027 -- most sources hold nothing
        """Frees what ``sample`` opened."""


def open_source(path: Path) -> Source:
    """The dataset in a folder.

    Raises:
        FileError: if there is none that is known.
    """
    path = Path(path)
    if (path / SETTINGS_FILE).exists():
        return Demonstrations(path)
    if (path / "meta" / "info.json").exists():
        from bomb.inspection.lerobot_source import LeRobot

        return LeRobot(path)
    raise FileError(
        f"{path} holds no dataset: neither {SETTINGS_FILE} of `bomb collect` nor meta/info.json of LeRobot"
    )


class Demonstrations(Source):
    """BOMB's own."""

    def __init__(self, path: Path):
        self.path, self._dataset = path, Dataset.open(path)
        settings = self._dataset.settings
        self.action_spec = action_spec_of(settings)
        self._renderer = None
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

    def sample(self, name: str, moments: int, size: int) -> list[np.ndarray]:
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


def _filled(goal: dict, after: list[list[int]]) -> dict | None:
    """The goal of a move; of a pattern, which names what is missing, the intersection that was filled."""
    if goal["kind"] != "pattern":
        return goal
    right = (s for s in goal["stones"] if after[s["row"]][s["column"]] == COLORS[s["color"]])
    return next(right, None)


def number_of(name: str) -> int:
    """The number in an episode's name."""
    return int(name.split()[-1])


def spread(length: int, moments: int) -> set[int]:
    """So many of the frames, evenly spread from the first to the last."""
    return set(np.linspace(0, length - 1, moments).round().astype(int).tolist())
