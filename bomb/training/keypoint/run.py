"""A training of ``keypoint`` from demonstrations to the file that plays, and its card.

::

    OUT/recipe.json, OUT/metrics.jsonl    what it is, and how far it is
    OUT/looks                             what was drawn, unless --frames names another folder
    OUT/state                             to resume from
    OUT/keypoint.safetensors, .json       what plays: --policy "keypoint('OUT/keypoint.safetensors')"
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from bomb.disk.files import appearing, write_json
from bomb.models.folders import saving
from bomb.models.keypoint.checkpoint import FORMAT, VERSION, read_model, sha256_of
from bomb.models.keypoint.format import CAMERAS, REFERENCES
from bomb.training.keypoint.drawing import Drawing
from bomb.training.keypoint.eye import train_eye
from bomb.training.keypoint.hand import hand_error, train_hand
from bomb.training.keypoint.measuring import measured
from bomb.training.keypoint.parts import PartTraining, PartWatcher, opened
from bomb.training.keypoint.recipe import KeypointRecipe
from bomb.training.keypoint.samples import CameraSamples
from bomb.training.keypoint.ways import ways_of
from bomb.training.keypoint.words import read_right, train_words

NAME = "keypoint.safetensors"


def train_keypoint(
    recipe: KeypointRecipe,
    folders: Sequence[Path],
    out: Path,
    *,
    store: Path | None = None,
    workers: int = 1,
    watcher: PartWatcher | None = None,
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
    with opened("keypoint", folders, out, recipe.threads) as datasets:
        return KeypointTraining(recipe, datasets, out, store=store, workers=workers, watcher=watcher).run()


class KeypointTraining(PartTraining):
    """Words, hand and two eyes, each by itself."""

    policy, format, version = "keypoint", FORMAT, VERSION

    def learn(self, drawings: Sequence[Drawing]) -> Path:
        tensors: dict[str, torch.Tensor] = {}
        recipe, seed = self._recipe, self._recipe.seed
        words, vocabulary = self._part(
            "words", recipe.words.steps, lambda told: train_words(recipe.words, seed, told)
        )
        read = {name or "clean": read_right(words, vocabulary, name) for name in self._word_sets()}
        ways = ways_of(self._datasets)
        learned = [way for k, way in enumerate(ways) if k % recipe.eye.held_out]
        held = ways[:: recipe.eye.held_out]
        step = 0.4 / 20
        hand = self._part(
            "hand", recipe.hand.steps, lambda told: train_hand(learned, recipe.hand, step, seed, told)
        )
        metrics: dict[str, Any] = {
            "words_read_right": read,
            "hand_mm": hand_error(hand, held, step),
            "eyes_mm": {},
        }
        for name, network in (("words", words), ("hand", hand)):
            tensors |= {f"{name}.{key}": value.detach() for key, value in network.state_dict().items()}
        files, shown = self._files(drawings)
        for number, camera in enumerate(CAMERAS):
            samples, state = CameraSamples(files, number), self._out / "state" / f"{camera}.pt"
            eye = self._part(
                f"eye {camera}", recipe.eye.steps,
                partial(train_eye, samples, len(REFERENCES[camera]), recipe.eye, seed + number, state),
            )  # fmt: skip
            seen = CameraSamples(shown, number)
            metrics["eyes_mm"][camera] = measured(eye, seen, range(len(seen)), number)
            tensors |= {f"{camera}.{key}": value for key, value in eye.tensors().items()}
        return self._write(tensors, vocabulary, metrics)

    def _write(
        self, tensors: dict[str, torch.Tensor], vocabulary: list[str], metrics: dict[str, Any]
    ) -> Path:
        from safetensors.torch import save_file

        file = self._out / NAME
        about = {"format": FORMAT, "version": str(VERSION), "vocabulary": json.dumps(vocabulary)}
        with saving(file):
            halves = {name: value.contiguous().half() for name, value in tensors.items()}
            with appearing(file) as beside:
                save_file(halves, beside, metadata=about)
            parameters = sum(value.numel() for value in tensors.values())
            write_json(file.with_suffix(".json"), self._card(sha256_of(file), parameters, metrics))
        read_model(file)  # what was written can be read
        return file
