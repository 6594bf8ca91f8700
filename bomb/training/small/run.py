"""A training of ``small-vla`` from demonstrations to the checkpoint that plays, and its card.

::

    OUT/recipe.json, OUT/metrics.jsonl    what it is, and how far it is; OUT/index.html shows it
    OUT/looks                             what was drawn, unless --frames names another folder
    OUT/state                             to resume from
    OUT/checkpoints/step_006000           every checkpoint that is kept, for `bomb train rank`
    OUT/chosen, OUT/selection.json        the one that the rule chose; its card.json
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from bomb.demonstrations.dataset import Dataset
from bomb.disk.files import FileError, write_json, writing
from bomb.models.checkpoint import Checkpoint
from bomb.models.codecs.statistics import DatasetStatistics, Statistics
from bomb.models.keypoint.checkpoint import sha256_of
from bomb.models.keypoint.format import CAMERAS, IMAGE_SIZE, REFERENCES
from bomb.models.keypoint.hand import CHUNK
from bomb.models.keypoint.safetensors import read_safetensors
from bomb.models.settings import VLASettings
from bomb.models.small.family import SmallVLA
from bomb.training.folders import CHECKPOINTS, CHOSEN, SELECTION, step_folder
from bomb.training.keypoint.drawing import Drawing
from bomb.training.keypoint.eye import train_eye
from bomb.training.keypoint.parts import PartTraining, PartWatcher, opened
from bomb.training.keypoint.samples import CameraSamples
from bomb.training.keypoint.ways import ways_of
from bomb.training.keypoint.words import make_vocabulary
from bomb.training.selection import choose
from bomb.training.small.measuring import errors_of, measured
from bomb.training.small.moving import Ways, train_hand
from bomb.training.small.reading import read_right, train_reader
from bomb.training.small.recipe import SmallRecipe
from bomb.training.small.scenes import Scene
from bomb.training.small.together import train_together
from core.errors import OptionError

CARD = "card.json"
SUBSET = 4  # seed of the order that subsets are the first of


def train_small(
    recipe: SmallRecipe,
    folders: Sequence[Path],
    out: Path,
    *,
    start: Path | None = None,
    store: Path | None = None,
    workers: int = 1,
    watcher: PartWatcher | None = None,
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
    with opened("small-vla", folders, out, recipe.threads) as datasets:
        return SmallTraining(
            recipe, datasets, out, start=start, store=store, workers=workers, watcher=watcher
        ).run()


class SmallTraining(PartTraining):
    """Eyes, reader and hand, each by itself, and then all together.

    Args:
        start: file of a trained ``keypoint``, whose eyes it begins with; None: they learn here.
        parts: as ``PartTraining``.
    """

    policy, format, version = "small-vla", "bomb-small-vla", 1

    def __init__(
        self, recipe: SmallRecipe, datasets: Sequence[Dataset], out: Path, *, start: Path | None, **parts: Any
    ):
        super().__init__(recipe, datasets, out, **parts)
        self._start = start

    def prepare(self) -> None:
        self._vla = self._new()
        if self._start is not None:
            arrays, _ = read_safetensors(self._start)
            self._take_eyes({name: torch.tensor(array.astype(np.float32)) for name, array in arrays.items()})

    def begins_with(self) -> dict[str, Any]:
        return {"start": None if self._start is None else sha256_of(self._start)}

    def taken(self, dataset: Dataset) -> frozenset[int]:
        seeds, most = dataset.seeds(), self._recipe.demonstrations
        held = seeds[:: self._recipe.eye.held_out]
        rest = [seed for seed in seeds if seed not in set(held)]
        if most is None:
            return frozenset(seeds)
        if most > len(rest):
            raise OptionError(
                f"{dataset.path} has {len(seeds)} demonstrations: {len(held)} are held out, so at most "
                f"{len(rest)} are learned from, demonstrations = {most}"
            )
        order = np.random.default_rng([SUBSET, len(rest)]).permutation(len(rest))
        return frozenset([*held, *(rest[k] for k in order[:most])])

    def learn(self, drawings: Sequence[Drawing]) -> Path:
        recipe, seed = self._recipe, self._recipe.seed
        vla = self._vla
        if self._start is None:
            self._learn_eyes(drawings)
        network, vocabulary = vla.network, list(vla.vocabulary)
        self._part(
            "words", recipe.words.steps,
            lambda told: train_reader(network.reader, vocabulary, recipe.words, seed, told),
        )  # fmt: skip
        ways = ways_of(self._datasets, self.taken)
        learned = Ways([way for k, way in enumerate(ways) if k % recipe.eye.held_out])
        self._part(
            "hand", recipe.hand.steps,
            lambda told: train_hand(network.hand, learned, recipe.hand, vla.max_step, seed, told),
        )  # fmt: skip
        files, held = self._files(drawings)
        scenes, shown = ([s for s in map(Scene.read, some) if s.usable()] for some in (files, held))
        state = self._out / "state" / "together.pt"
        self._part(
            "together", recipe.together.steps,
            lambda told: train_together(
                vla, scenes, learned, recipe.together, seed, state, told, partial(self._keep, shown)
            ),
        )  # fmt: skip
        return self._choose(shown)

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
            training={"recipe": self._recipe.name, "seed": self._recipe.seed, **(self._sources or {})},
        )  # fmt: skip
        return SmallVLA(settings, statistics, make_vocabulary(self._recipe.seed))

    def _learn_eyes(self, drawings: Sequence[Drawing]) -> None:
        """Key points, as those of ``keypoint`` learn them."""
        tensors: dict[str, torch.Tensor] = {}
        recipe, files = self._recipe, self._files(drawings)[0]
        for number, camera in enumerate(CAMERAS):
            samples, state = CameraSamples(files, number), self._out / "state" / f"{camera}.pt"
            eye = self._part(
                f"eye {camera}", recipe.eye.steps,
                partial(train_eye, samples, len(REFERENCES[camera]), recipe.eye, recipe.seed + number, state),
            )  # fmt: skip
            tensors |= {f"{camera}.{name}": value for name, value in eye.tensors().items()}
        self._take_eyes(tensors)

    def _take_eyes(self, tensors: Mapping[str, torch.Tensor]) -> None:
        for camera in CAMERAS:
            eye = self._vla.network.eyes[camera]
            mine = {name.partition(".")[2]: v for name, v in tensors.items() if name.startswith(f"{camera}.")}
            wanted = {name: tuple(value.shape) for name, value in eye.state_dict().items()}
            found = {name: tuple(value.shape) for name, value in mine.items()}
            if wanted != found:
                wrong = min(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
                raise OptionError(
                    f"{self._start} does not fit the eye {camera}: {wrong} is "
                    f"{found.get(wrong, 'missing')}, needed {wanted.get(wrong, 'not at all')}"
                )
            eye.load_state_dict(mine)

    def _keep(self, shown: Sequence[Scene], step: int, teacher: nn.Module) -> None:
        """Writes a checkpoint, and what it does on scenes that are held out."""
        number = self._before + step
        errors = measured(self._vla, shown, teacher, self._recipe.together.looks, self._recipe.seed)
        self._log.drop(lambda row: row["kind"] == "held_out" and row["step"] >= number)
        self._log.add({"kind": "held_out", "step": number, "part": "together", "of_part": step, **errors})
        Checkpoint(vla=self._vla).save(step_folder(self._out, CHECKPOINTS, number))

    def _choose(self, shown: Sequence[Scene]) -> Path:
        """The checkpoint that the rule chooses, with its card."""
        chosen = choose(self._out, self._recipe.select)
        folder, looks = self._out / CHOSEN, self._recipe.together.looks
        vla = Checkpoint.load(folder, device="cpu").vla  # what was written can be read
        if not isinstance(vla, SmallVLA):
            raise FileError(f"{folder} holds another model than it was given")
        reader, vocabulary = vla.network.reader, list(vla.vocabulary)
        read = {name or "clean": read_right(reader, vocabulary, name) for name in self._word_sets()}
        groups = sorted({scene.group for scene in shown})
        metrics = {
            "words_read_right": read,
            "errors_mm": {g: errors_of(vla, [s for s in shown if s.group == g], looks, 0) for g in groups},
        }
        with writing(folder):
            write_json(
                folder / CARD, self._card(sha256_of(folder / "model.safetensors"), vla.count(), metrics)
            )
            write_json(self._out / SELECTION, chosen)  # last: then all of it is there
        return folder
