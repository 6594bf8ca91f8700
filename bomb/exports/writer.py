"""What a format must say and do."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from bomb.demonstrations.demonstration import Demonstration
from bomb.exports.frames import ExportFrame
from bomb.exports.plan import EpisodePlan, ExportPlan, Rows
from bomb.exports.settings import ExportSettings
from bomb.exports.statistics import PictureHistogram

# One episode of a shard and its frames, which are drawn while they are taken.
Drawn = tuple[EpisodePlan, Iterator[ExportFrame]]


@dataclass(frozen=True, kw_only=True)
class ShardReport:
    """What a shard brought.

    Attributes:
        episodes: how many.
        histograms: of the pictures of each camera, by camera or feature.
        lines: what the format keeps per episode, plain values.
    """

    episodes: int
    histograms: dict[str, PictureHistogram]
    lines: list[dict[str, Any]] = field(default_factory=list)


class Writer(ABC):
    """Writes one dataset in one format, shard by shard.

    ``write_shard`` may run in any process and in any order; ``write_meta`` runs in the parent, after the
    files of a shard have been put in their places, and makes the whole readable.

    Args:
        settings: of the export.
        dataset: settings of the demonstrations.

    Attributes:
        words: what the format is, for lists.
        state_layout: of the states, out of ``bomb.rollouts.states.LAYOUTS``; a model that is trained on
            them must be fed it.
        pictures: ways of storing pictures that it takes, the default first.
        draws_apart: whether the parent must not draw, for what ``finish`` loads cannot share a process with a
            graphics driver.
    """

    words: ClassVar[str]
    pictures: ClassVar[tuple[str, ...]]
    state_layout: ClassVar[str] = "bomb"
    draws_apart: ClassVar[bool] = False

    def __init__(self, settings: ExportSettings, dataset: dict[str, Any]):
        self.settings, self.dataset = settings, dataset
        self.fps = int(dataset["control_hz"])

    @classmethod
    @abstractmethod
    def check(cls) -> None:
        """Raises ``BombError`` if an extra is missing."""

    @staticmethod
    @abstractmethod
    def vectors(demonstration: Demonstration, actions: Rows) -> tuple[Rows, Rows]:
        """States and actions, float32[T, n] each, as the format has them.

        Args:
            demonstration: of T actions.
            actions: float32[T, 4] in the convention of the settings.
        """

    def root(self, out: Path) -> Path:
        """Where in ``out`` the files of the dataset lie."""
        return out

    @abstractmethod
    def data_files(self, root: Path) -> Iterable[Path]:
        """All files below ``root`` that belong to shards, in place by the metadata or not."""

    @abstractmethod
    def write_shard(self, folder: Path, episodes: Iterable[Drawn]) -> ShardReport:
        """Writes the files of a shard into ``folder``.

        Args:
            folder: empty.
            episodes: at least one.
        """

    def finish(self, folder: Path, shard: int) -> None:  # noqa: B027 -- not all number their shards
        """Makes the files in ``folder`` what they shall be, named as they will be below ``root``.

        In the parent, before they are put in place: only then it is known how many shards come before.

        Args:
            folder: that the shard was written into.
            shard: its number, from 0.
        """

    @abstractmethod
    def write_meta(
        self,
        root: Path,
        plan: ExportPlan,
        shards: list[range],
        pictures: dict[str, PictureHistogram],
        lines: list[dict[str, Any]],
    ) -> None:
        """Makes the finished shards readable. Each file is replaced as a whole.

        Args:
            root: of the dataset.
            plan: of the whole export.
            shards: those that are finished: their episodes.
            pictures: of every camera, over the finished shards.
            lines: of every finished episode.
        """

    def readme(self) -> list[str]:
        """Lines of Markdown for the README: how the format's reader is called."""
        return []
