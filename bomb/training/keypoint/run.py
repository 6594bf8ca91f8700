"""A training of ``keypoint`` from demonstrations to the file that plays, and its card.

::

    OUT/recipe.json, OUT/metrics.jsonl    what it is, and how far it is
    OUT/looks                             what was drawn, unless --frames names another folder
    OUT/state                             to resume from
    OUT/keypoint.safetensors, .json       what plays: --policy "keypoint('OUT/keypoint.safetensors')"
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from bomb.demonstrations.dataset import Dataset
from bomb.disk.differences import first_difference
from bomb.disk.files import FileError, read_json, write_json, writing
from bomb.disk.lock import WriterLock
from bomb.machine.provenance import git_state
from bomb.machine.versions import versions
from bomb.models.keypoint.checkpoint import FORMAT, VERSION, read_model, sha256_of
from bomb.models.keypoint.format import CAMERAS, REFERENCES
from bomb.training.keypoint.drawing import Drawing, draw, drawings_of
from bomb.training.keypoint.eye import train_eye
from bomb.training.keypoint.hand import hand_error, train_hand
from bomb.training.keypoint.measuring import measured
from bomb.training.keypoint.recipe import KeypointRecipe
from bomb.training.keypoint.samples import Samples
from bomb.training.keypoint.sentences import LEFT_OUT
from bomb.training.keypoint.ways import ways_of
from bomb.training.keypoint.words import read_right, train_words
from bomb.training.log import MetricsLog
from bomb.training.sources import PROVENANCE
from core.errors import OptionError
from tasks.place_stone.words import WORD_SETS

RECIPE, LOCK, NAME = "recipe.json", ".bomb_train.lock", "keypoint.safetensors"
LOG_EVERY = 20


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """Who is told how far a training is.

    Attributes:
        drawn: called with how many looks are drawn, and of how many.
        step: called with the part, the step over all parts, and the loss.
    """

    drawn: Callable[[int, int], None] = lambda there, of: None
    step: Callable[[str, int, float], None] = lambda part, step, loss: None


def train_keypoint(
    recipe: KeypointRecipe,
    folders: Sequence[Path],
    out: Path,
    *,
    store: Path | None = None,
    workers: int = 1,
    watcher: Watcher | None = None,
) -> Path:
    """Draws, trains every part, measures, writes the checkpoint; the same call resumes what was interrupted.

    Args:
        recipe: what to do.
        folders: datasets of `bomb collect`, of the task ``place_stone``.
        out: folder of the training.
        store: where what is drawn is kept; None: ``out/looks``.
        workers: processes that draw.
        watcher: is told how far it is.

    Returns:
        The checkpoint.

    Raises:
        OptionError: for what does not fit, before anything is drawn.
        FileError: naming a file that is missing, damaged, of something else, or cannot be written.
    """
    if recipe.threads is not None:
        torch.set_num_threads(recipe.threads)
    datasets = [Dataset.open(folder) for folder in folders]
    _check(datasets)
    with writing(out):
        Path(out).mkdir(parents=True, exist_ok=True)
    lock = WriterLock(Path(out) / LOCK)
    try:
        return _Training(recipe, datasets, Path(out), store, workers, watcher or Watcher()).run()
    finally:
        lock.release()


def _check(datasets: Sequence[Dataset]) -> None:
    if not datasets:
        raise OptionError("there is nothing to learn from: --data names no folder")
    for dataset in datasets:
        settings = dataset.settings
        if settings["task"] != "place_stone" or settings["action_mode"] != "delta":
            raise OptionError(
                f"{dataset.path} has {settings['task']} in {settings['action_mode']} actions; keypoint "
                "learns from place_stone in delta actions"
            )


class _Training:
    def __init__(
        self,
        recipe: KeypointRecipe,
        datasets: Sequence[Dataset],
        out: Path,
        store: Path | None,
        workers: int,
        watcher: Watcher,
    ):
        self._recipe, self._datasets, self._out = recipe, datasets, out
        self._store = out / "looks" if store is None else Path(store)
        self._workers, self._watcher = workers, watcher
        self._log, self._before = MetricsLog(out), 0
        self._seconds: dict[str, float] = {}
        self._sources = git_state()  # now: they may change while this runs

    def run(self) -> Path:
        """Everything, in its order."""
        self._begin()
        drawings = self._draw()
        self._log.cut(0)
        tensors: dict[str, torch.Tensor] = {}
        recipe, seed = self._recipe, self._recipe.seed
        words, vocabulary = self._timed("words", lambda: train_words(recipe.words, seed, self._told("words")))
        read = {name or "clean": read_right(words, vocabulary, name) for name in self._word_sets()}
        self._before += recipe.words.steps
        ways = ways_of(self._datasets)
        learned = [way for k, way in enumerate(ways) if k % recipe.eye.held_out]
        held = ways[:: recipe.eye.held_out]
        step = 0.4 / 20
        hand = self._timed("hand", lambda: train_hand(learned, recipe.hand, step, seed, self._told("hand")))
        self._before += recipe.hand.steps
        metrics: dict = {"words_read_right": read, "hand_mm": hand_error(hand, held, step), "eyes_mm": {}}
        for name, network in (("words", words), ("hand", hand)):
            tensors |= {f"{name}.{key}": value.detach() for key, value in network.state_dict().items()}
        for number, camera in enumerate(CAMERAS):
            network, errors = self._eye(drawings, number, camera)
            metrics["eyes_mm"][camera] = errors
            tensors |= {f"{camera}.{key}": value for key, value in network.tensors().items()}
        return self._write(tensors, vocabulary, metrics)

    def _begin(self) -> None:
        wanted = {
            "format": "bomb-keypoint-training", "version": 1, "recipe": self._recipe.to_dict(),
            "data": [self._about(dataset) for dataset in self._datasets],
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
            raise FileError(f"{self._out} exists and holds no training of keypoint; choose another folder")
        with writing(self._out):
            write_json(self._out / RECIPE, wanted)

    def _about(self, dataset: Dataset) -> dict:
        seeds = dataset.seeds()
        known = {name: dataset.settings[name] for name in PROVENANCE}
        extent = {"first_seed": seeds[0], "last_seed": seeds[-1], "episodes": len(seeds)}
        return {**known, "diversity": dataset.settings["diversity"], **extent}

    def _draw(self) -> list[Drawing]:
        drawings = drawings_of(self._datasets, self._recipe.looks)
        report = lambda there: self._watcher.drawn(there, len(drawings))  # noqa: E731
        self._timed(
            "drawing",
            lambda: draw(drawings, self._recipe.looks, self._store, workers=self._workers, report=report),
        )
        return drawings

    def _eye(self, drawings: Sequence[Drawing], number: int, camera: str):
        recipe, every = self._recipe, self._recipe.eye.held_out
        places = {dataset.path: {s: k for k, s in enumerate(dataset.seeds())} for dataset in self._datasets}
        held = [not places[Path(one.dataset)][one.seed] % every for one in drawings]
        files = [one.file(self._store, recipe.looks) for one in drawings]
        samples = Samples([file for file, out in zip(files, held, strict=True) if not out], number)
        state, told = self._out / "state" / f"{camera}.pt", self._told(f"eye {camera}")
        references = len(REFERENCES[camera])
        network = self._timed(
            f"eye {camera}",
            lambda: train_eye(samples, references, recipe.eye, recipe.seed + number, state, told),
        )
        self._before += recipe.eye.steps
        shown = Samples([file for file, out in zip(files, held, strict=True) if out], number)
        return network, measured(network, shown, range(len(shown)), number)

    def _told(self, part: str) -> Callable[..., None]:
        before, begun = self._before, time.perf_counter()

        def told(step: int, loss: float, said: dict | None = None) -> None:
            if step % LOG_EVERY == 0:
                seconds = round(time.perf_counter() - begun, 2)
                row = {"step": before + step, "part": part, "of_part": step, "loss": loss}
                self._log.add({**row, **(said or {}), "seconds": seconds})
            self._watcher.step(part, before + step, loss)

        return told

    def _timed(self, part: str, work: Callable):
        begun = time.perf_counter()
        made = work()
        self._seconds[part] = round(time.perf_counter() - begun, 1)
        return made

    @staticmethod
    def _word_sets() -> list[str]:
        return ["", *(name for name in WORD_SETS if name not in LEFT_OUT)]

    def _write(self, tensors: dict[str, torch.Tensor], vocabulary: list[str], metrics: dict) -> Path:
        from safetensors.torch import save_file

        file = self._out / NAME
        about = {"format": FORMAT, "version": str(VERSION), "vocabulary": json.dumps(vocabulary)}
        with writing(file):
            halves = {name: value.contiguous().half() for name, value in tensors.items()}
            save_file(halves, file, metadata=about)
            card = {
                "format": FORMAT, "version": VERSION, "sha256": sha256_of(file),
                "parameters": sum(value.numel() for value in tensors.values()),
                "recipe": self._recipe.to_dict(),
                "trained_on": [self._about(dataset) for dataset in self._datasets],
                "held_out_metrics": metrics, "wall_seconds": self._seconds,
                "sources": self._sources, "versions": {**versions(), "torch": torch.__version__},
            }  # fmt: skip
            write_json(file.with_suffix(".json"), json.loads(json.dumps(card)))
        read_model(file)  # what was written can be read
        return file
