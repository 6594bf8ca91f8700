"""A training of ``small-vla`` from demonstrations to the checkpoint that plays, and its card.

::

    OUT/recipe.json, OUT/metrics.jsonl    what it is, and how far it is
    OUT/looks                             what was drawn, unless --frames names another folder
    OUT/state                             to resume from
    OUT/checkpoint                        what plays: --policy "small-vla('OUT/checkpoint')"; its card.json
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from bomb.demonstrations.dataset import Dataset
from bomb.disk.differences import first_difference
from bomb.disk.files import FileError, read_json, write_json, writing
from bomb.disk.lock import WriterLock
from bomb.machine.provenance import git_state
from bomb.machine.versions import versions
from bomb.models.checkpoint import Checkpoint
from bomb.models.codecs.statistics import DatasetStatistics, Statistics
from bomb.models.keypoint.checkpoint import sha256_of
from bomb.models.keypoint.format import CAMERAS, IMAGE_SIZE, REFERENCES
from bomb.models.keypoint.safetensors import read_safetensors
from bomb.models.settings import VLASettings
from bomb.models.small.eye import SmallEye
from bomb.models.small.family import SmallVLA
from bomb.training.keypoint.drawing import Drawing, draw, drawings_of
from bomb.training.keypoint.eye import train_eye
from bomb.training.keypoint.hand import CHUNK
from bomb.training.keypoint.run import LOCK, LOG_EVERY, RECIPE, Watcher
from bomb.training.keypoint.samples import Samples
from bomb.training.keypoint.sentences import LEFT_OUT
from bomb.training.keypoint.ways import ways_of
from bomb.training.keypoint.words import make_vocabulary
from bomb.training.log import MetricsLog
from bomb.training.small.moving import Ways, train_hand
from bomb.training.small.reading import read_right, train_reader
from bomb.training.small.recipe import SmallRecipe
from bomb.training.small.scenes import Scene
from bomb.training.small.together import errors_of, train_together
from bomb.training.sources import PROVENANCE
from core.errors import OptionError
from tasks.place_stone.words import WORD_SETS

CHECKPOINT, CARD = "checkpoint", "card.json"
FORMAT, VERSION = "bomb-small-vla", 1


def train_small(
    recipe: SmallRecipe,
    folders: Sequence[Path],
    out: Path,
    *,
    start: Path | None = None,
    store: Path | None = None,
    workers: int = 1,
    watcher: Watcher | None = None,
) -> Path:
    """Draws, trains the parts and then the whole, measures, writes; the same call resumes what was
    interrupted.

    Args:
        recipe: what to do.
        folders: datasets of `bomb collect`, of the task ``place_stone``.
        out: folder of the training.
        start: file of a trained ``keypoint``, whose eyes it begins with; None: they learn here, first.
        store: where what is drawn is kept; None: ``out/looks``.
        workers: processes that draw.
        watcher: is told how far it is.

    Returns:
        The folder of the checkpoint.

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
        training = _Training(recipe, datasets, Path(out), start, store, workers, watcher or Watcher())
        return training.run()
    finally:
        lock.release()


def _check(datasets: Sequence[Dataset]) -> None:
    if not datasets:
        raise OptionError("there is nothing to learn from: --data names no folder")
    for dataset in datasets:
        settings = dataset.settings
        if settings["task"] != "place_stone" or settings["action_mode"] != "delta":
            raise OptionError(
                f"{dataset.path} has {settings['task']} in {settings['action_mode']} actions; small-vla "
                "learns from place_stone in delta actions"
            )


class _Training:
    def __init__(
        self, recipe: SmallRecipe, datasets: Sequence[Dataset], out: Path, start: Path | None,
        store: Path | None, workers: int, watcher: Watcher,
    ):  # fmt: skip
        self._recipe, self._datasets, self._out, self._start = recipe, datasets, out, start
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
        recipe, seed = self._recipe, self._recipe.seed
        vla = self._new()
        self._eyes(vla, drawings)
        network, vocabulary = vla.network, list(vla.vocabulary)
        self._part(
            "words", recipe.words.steps,
            lambda told: train_reader(network.reader, vocabulary, recipe.words, seed, told),
        )  # fmt: skip
        ways = ways_of(self._datasets)
        learned = Ways([way for k, way in enumerate(ways) if k % recipe.eye.held_out])
        self._part(
            "hand", recipe.hand.steps,
            lambda told: train_hand(network.hand, learned, recipe.hand, vla.max_step, seed, told),
        )  # fmt: skip
        files, held = self._files(drawings)
        scenes, shown = [Scene.read(file) for file in files], [Scene.read(file) for file in held]
        scenes = [scene for scene in scenes if scene.usable()]
        state = self._out / "state" / "together.pt"
        self._part(
            "together", recipe.together.steps,
            lambda told: train_together(vla, scenes, learned, recipe.together, seed, state, told),
        )  # fmt: skip
        return self._write(vla, [scene for scene in shown if scene.usable()])

    def _begin(self) -> None:
        start = None if self._start is None else sha256_of(self._start)
        wanted = {
            "format": f"{FORMAT}-training", "version": VERSION, "recipe": self._recipe.to_dict(),
            "start": start, "data": self._about(),
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
            raise FileError(f"{self._out} exists and holds no training of small-vla; choose another folder")
        with writing(self._out):
            write_json(self._out / RECIPE, wanted)

    def _about(self) -> list[dict]:
        about = []
        for dataset in self._datasets:
            seeds = dataset.seeds()
            known = {name: dataset.settings[name] for name in PROVENANCE}
            extent = {"first_seed": seeds[0], "last_seed": seeds[-1], "episodes": len(seeds)}
            about.append({**known, "diversity": dataset.settings["diversity"], **extent})
        return about

    def _draw(self) -> list[Drawing]:
        drawings = drawings_of(self._datasets, self._recipe.looks)
        report = lambda there: self._watcher.drawn(there, len(drawings))  # noqa: E731
        begun = time.perf_counter()
        draw(drawings, self._recipe.looks, self._store, workers=self._workers, report=report)
        self._seconds["drawing"] = round(time.perf_counter() - begun, 1)
        return drawings

    def _new(self) -> SmallVLA:
        torch.manual_seed(self._recipe.seed)
        demonstrations = [dataset.load(seed) for dataset in self._datasets for seed in dataset.seeds()]
        actions = np.concatenate([one.actions for one in demonstrations])
        statistics = DatasetStatistics(
            action=Statistics.of(actions, np.zeros(actions.shape[1], dtype=bool)),
            proprio=Statistics.of(np.concatenate([one.observations[:, :4] for one in demonstrations])),
            transitions=len(actions),
            trajectories=len(demonstrations),
        )
        settings = VLASettings(
            family=SmallVLA.family, cameras=CAMERAS, image_size=IMAGE_SIZE, chunk=CHUNK,
            options={"execute": self._recipe.execute, "precision": "float16"}, trained_on=self._about(),
            training={"recipe": self._recipe.name, "seed": self._recipe.seed, **self._sources},
        )  # fmt: skip
        return SmallVLA(settings, statistics, make_vocabulary(self._recipe.seed))

    def _eyes(self, vla: SmallVLA, drawings: Sequence[Drawing]) -> None:
        """Eyes that know key points: those of a trained ``keypoint``, or trained here as its are."""
        if self._start is not None:
            arrays, _ = read_safetensors(self._start)
            tensors = {name: torch.tensor(array.astype(np.float32)) for name, array in arrays.items()}
        else:
            tensors, recipe = {}, self._recipe
            for number, camera in enumerate(CAMERAS):
                samples, state = (
                    Samples(self._files(drawings)[0], number),
                    self._out / "state" / f"{camera}.pt",
                )
                eye = self._part(
                    f"eye {camera}", recipe.eye.steps,
                    lambda told, n=number, c=camera, s=samples, f=state: train_eye(
                        s, len(REFERENCES[c]), recipe.eye, recipe.seed + n, f, told
                    ),
                )  # fmt: skip
                tensors |= {f"{camera}.{name}": value for name, value in eye.tensors().items()}
        for camera in CAMERAS:
            eye = vla.network.eyes[camera]
            mine = {name.partition(".")[2]: v for name, v in tensors.items() if name.startswith(f"{camera}.")}
            if not mine or SmallEye.widths_of(mine) != vla.options.eye:
                raise OptionError(f"{self._start} has no eye {camera} of the widths {list(vla.options.eye)}")
            eye.load_state_dict(mine)

    def _files(self, drawings: Sequence[Drawing]) -> tuple[list[Path], list[Path]]:
        """What is learned from, and what is held out."""
        every = self._recipe.eye.held_out
        places = {dataset.path: {s: k for k, s in enumerate(dataset.seeds())} for dataset in self._datasets}
        learned: list[Path] = []
        held: list[Path] = []
        for one in drawings:
            out = not places[Path(one.dataset)][one.seed] % every
            (held if out else learned).append(one.file(self._store, self._recipe.looks))
        return learned, held

    def _part(self, name: str, steps: int, work: Callable):
        before, begun = self._before, time.perf_counter()

        def told(step: int, loss: float, said: dict | None = None) -> None:
            if step % LOG_EVERY == 0:
                seconds = round(time.perf_counter() - begun, 2)
                row = {"step": before + step, "part": name, "of_part": step, "loss": loss}
                self._log.add({**row, **(said or {}), "seconds": seconds})
            self._watcher.step(name, before + step, loss)

        made = work(told)
        self._before += steps
        self._seconds[name] = round(time.perf_counter() - begun, 1)
        return made

    def _write(self, vla: SmallVLA, shown: Sequence[Scene]) -> Path:
        with torch.no_grad():  # as they are stored
            for weight in vla.network.parameters():
                weight.copy_(weight.half().float())
        sets = ["", *(name for name in WORD_SETS if name not in LEFT_OUT)]
        read = {name or "clean": read_right(vla.network.reader, list(vla.vocabulary), name) for name in sets}
        looks, groups = self._recipe.together.looks, sorted({scene.group for scene in shown})
        metrics = {
            "words_read_right": read,
            "errors_mm": {g: errors_of(vla, [s for s in shown if s.group == g], looks, 0) for g in groups},
        }
        folder, last = self._out / CHECKPOINT, self._out / ".checkpoint"
        Checkpoint(vla=vla).save(last)
        card = {
            "format": FORMAT, "version": VERSION, "sha256": sha256_of(last / "model.safetensors"),
            "parameters": vla.count(), "recipe": self._recipe.to_dict(),
            "start": None if self._start is None else sha256_of(self._start), "trained_on": self._about(),
            "held_out_metrics": metrics, "wall_seconds": self._seconds, "sources": self._sources,
            "versions": {**versions(), "torch": torch.__version__},
        }  # fmt: skip
        content = json.dumps(json.loads(json.dumps(card)), indent=2).encode() + b"\n"
        Checkpoint(vla=vla).save(folder, beside={CARD: content})
        Checkpoint.load(folder, device="cpu")  # what was written can be read
        return folder
