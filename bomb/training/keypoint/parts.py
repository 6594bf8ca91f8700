"""A training in parts: what those of ``keypoint`` and ``small-vla`` have in common.

::

    OUT/recipe.json, OUT/metrics.jsonl    what it is, and how far it is
    OUT/looks                             what was drawn, unless --frames names another folder
    OUT/state                             to resume from
"""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import torch

from bomb.demonstrations.dataset import Dataset
from bomb.disk.differences import first_difference
from bomb.disk.files import FileError, read_json, write_json, writing
from bomb.disk.lock import WriterLock
from bomb.machine.provenance import git_state
from bomb.machine.versions import versions
from bomb.training.folders import LOCK, RECIPE
from bomb.training.keypoint.drawing import Drawing, draw, drawings_of
from bomb.training.keypoint.sentences import LEFT_OUT
from bomb.training.log import MetricsLog
from bomb.training.page import write_page
from bomb.training.sources import PROVENANCE
from core.errors import OptionError
from tasks.place_stone.words import WORD_SETS

LOG_EVERY = 20
PAGE_EVERY = 30.0  # s, at least: drawing it takes a second or two

Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True)
class PartWatcher:
    """Who is told how far a training is.

    Attributes:
        drawn: called with how many looks are drawn, and of how many.
        step: called with the part, the step over all parts, and the loss.
    """

    drawn: Callable[[int, int], None] = lambda there, of: None
    step: Callable[[str, int, float], None] = lambda part, step, loss: None


@contextmanager
def opened(policy: str, folders: Sequence[Path], out: Path, threads: int | None) -> Iterator[list[Dataset]]:
    """The datasets of a training, whose folder nobody else writes meanwhile.

    Args:
        policy: that is trained, for messages.
        folders: datasets of `bomb collect`, of the task ``place_stone``.
        out: folder of the training; it is made.
        threads: of torch; None leaves it to torch.

    Raises:
        OptionError: for what it cannot learn from.
        FileError: naming a file that is missing or damaged.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    if len({Path(folder).resolve() for folder in folders}) < len(folders):
        raise OptionError(f"--data names a folder twice: {', '.join(map(str, folders))}")
    datasets = [Dataset.open(folder) for folder in folders]
    if not datasets:
        raise OptionError("there is nothing to learn from: --data names no folder")
    for dataset in datasets:
        settings = dataset.settings
        if settings["task"] != "place_stone" or settings["action_mode"] != "delta":
            raise OptionError(
                f"{dataset.path} has {settings['task']} in {settings['action_mode']} actions; {policy} "
                "learns from place_stone in delta actions"
            )
    with writing(out):
        Path(out).mkdir(parents=True, exist_ok=True)
    lock = WriterLock(Path(out) / LOCK)
    try:
        yield datasets
    finally:
        lock.release()


class PartTraining(ABC):
    """A training whose parts learn one after the other.

    Args:
        recipe: of the policy, with ``looks``, ``eye`` and ``to_dict``.
        datasets: of ``opened``.
        out: folder of the training.
        store: where what is drawn is kept; None: ``out/looks``.
        workers: processes that draw.
        watcher: is told how far it is.
    """

    policy: ClassVar[str]
    format: ClassVar[str]
    version: ClassVar[int]

    def __init__(
        self, recipe: Any, datasets: Sequence[Dataset], out: Path, *, store: Path | None, workers: int,
        watcher: PartWatcher | None,
    ):  # fmt: skip
        self._recipe, self._datasets, self._out = recipe, datasets, Path(out)
        self._store = self._out / "looks" if store is None else Path(store)
        self._workers, self._watcher = workers, watcher or PartWatcher()
        self._log, self._before = MetricsLog(self._out), 0
        self._seconds: dict[str, float] = {}
        self._shown = time.perf_counter()  # when its page was last written
        self._sources = git_state()  # now: they may change while this runs

    def run(self) -> Path:
        """Draws, trains, measures, writes; what was interrupted resumes.

        Returns:
            What plays.
        """
        taken = {str(dataset.path): self.taken(dataset) for dataset in self._datasets}
        drawings = [
            one for one in drawings_of(self._datasets, self._recipe.looks) if one.seed in taken[one.dataset]
        ]
        if not all(self._files(drawings)):
            raise OptionError(
                f"eye.held_out = {self._recipe.eye.held_out} holds out {len(self._files(drawings)[1])} of "
                f"{len(drawings)} looks; there must be some to learn from and some to measure"
            )
        self.prepare()
        self._begin()
        begun = time.perf_counter()
        report = lambda there: self._watcher.drawn(there, len(drawings))  # noqa: E731
        draw(drawings, self._recipe.looks, self._store, workers=self._workers, report=report)
        self._seconds["drawing"] = round(time.perf_counter() - begun, 1)
        made = self.learn(drawings)
        write_page(self._out)
        return made

    def prepare(self) -> None:
        """Reads what it begins with; a mistake is found before anything is drawn or written."""
        return

    def taken(self, dataset: Dataset) -> frozenset[int]:
        """Seeds of the demonstrations that are learned from or held out."""
        return frozenset(dataset.seeds())

    @abstractmethod
    def learn(self, drawings: Sequence[Drawing]) -> Path:
        """Trains every part on what is drawn, and writes what plays."""

    def begins_with(self) -> dict[str, Any]:
        """What else makes it another training, as plain values."""
        return {}

    def _begin(self) -> None:
        wanted = {
            "format": f"{self.format}-training", "version": self.version, "recipe": self._recipe.to_dict(),
            **self.begins_with(), "data": self._about(),
        }  # fmt: skip
        wanted = json.loads(json.dumps(wanted))
        if (self._out / RECIPE).is_file():
            difference = first_difference(read_json(self._out / RECIPE), wanted)
            if difference is not None:
                raise OptionError(
                    f"{self._out} was trained with {difference.name} = {difference.before!r}, not "
                    f"{difference.now!r}; choose another folder, or the same recipe and data to resume it"
                )
        elif any(entry.name not in (LOCK, "looks") for entry in self._out.iterdir()):
            raise FileError(
                f"{self._out} exists and holds no training of {self.policy}; choose another folder"
            )
        with writing(self._out):
            write_json(self._out / RECIPE, wanted)

    def _about(self) -> list[dict[str, Any]]:
        """What is learned from."""
        about = []
        for dataset in self._datasets:
            seeds = sorted(self.taken(dataset))
            known = {name: dataset.settings[name] for name in PROVENANCE}
            extent = {"first_seed": seeds[0], "last_seed": seeds[-1], "episodes": len(seeds)}
            about.append({**known, "diversity": dataset.settings["diversity"], **extent})
        return about

    def _files(self, drawings: Sequence[Drawing]) -> tuple[list[Path], list[Path]]:
        """Files of what is learned from, and of what is held out: every so many-th demonstration."""
        every = self._recipe.eye.held_out
        places = {dataset.path: {s: k for k, s in enumerate(dataset.seeds())} for dataset in self._datasets}
        learned: list[Path] = []
        held: list[Path] = []
        for one in drawings:
            out = not places[Path(one.dataset)][one.seed] % every
            (held if out else learned).append(one.file(self._store, self._recipe.looks))
        return learned, held

    def _part(self, name: str, steps: int, work: Callable[[Callable[..., None]], Made]) -> Made:
        """Trains a part: ``work`` is handed what it calls with each step and its loss."""
        before, begun = self._before, time.perf_counter()
        resumed = False

        def told(step: int, loss: float, said: dict[str, float] | None = None) -> None:
            nonlocal resumed
            if not resumed:  # what was logged of the same steps by a run that was interrupted
                self._log.drop(lambda row: row["part"] == name and row["of_part"] >= step)
                resumed = True
            if step % LOG_EVERY == 0 or step == steps:
                seconds = round(time.perf_counter() - begun, 2)
                row = {
                    "kind": "train", "step": before + step, "part": name, "of_part": step, "loss": loss
                }  # fmt: skip
                self._log.add({**row, **(said or {}), "seconds": seconds})
            self._watcher.step(name, before + step, loss)
            if time.perf_counter() - self._shown > PAGE_EVERY:
                write_page(self._out)
                self._shown = time.perf_counter()

        made = work(told)
        self._before += steps
        self._seconds[name] = round(time.perf_counter() - begun, 1)
        return made

    def _word_sets(self) -> list[str]:
        """Of the sentences that may be measured on; the first is the clean set."""
        return ["", *(name for name in WORD_SETS if name not in LEFT_OUT)]

    def _card(self, sha256: str, parameters: int, metrics: dict[str, Any]) -> dict[str, Any]:
        """What stands beside the weights, as plain values."""
        card = {
            "format": self.format, "version": self.version, "sha256": sha256, "parameters": parameters,
            "recipe": self._recipe.to_dict(), **self.begins_with(), "trained_on": self._about(),
            "held_out_metrics": metrics, "wall_seconds": self._seconds, "sources": self._sources,
            "versions": {**versions(), "torch": torch.__version__},
        }  # fmt: skip
        plain: dict[str, Any] = json.loads(json.dumps(card))
        return plain
