"""The family ``small``: a VLA of a million parameters that remembers what it saw; docs/small_vla.md."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from bomb.disk.files import FileError, read_json, write_json
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.heads.regression import regression_scores
from bomb.models.keypoint.format import CAMERAS, IMAGE_SIZE
from bomb.models.keypoint.words import EDGE, MOST_TOKENS, UNKNOWN, tokens_of
from bomb.models.losses import chunk_losses, learned
from bomb.models.requests import Request
from bomb.models.settings import VLASettings, check_count, read_options
from bomb.models.small.eye import SIDE
from bomb.models.small.memory import EpisodeMemory, beginning
from bomb.models.small.moving import carried_out, followed, remembered
from bomb.models.small.network import Question, Sizes, SmallNetwork, SmallOutput
from bomb.models.small.reading import HEADS
from bomb.models.vla import VLA, Anatomy, Batch, Layer, Layout, Losses, PictureGrid, Reference, Scores
from bomb.models.weights import load_weights, weight_files
from bomb.models.words import NOWHERE
from core.control.actions import SPEED
from core.errors import ConventionError, OptionError, PolicyOutputError, check_choice

VOCABULARY = "vocabulary.json"
METRE = 60.0  # weight of a metre beside the gripper's cross entropy
PRECISIONS = {"float32": torch.float32, "float16": torch.float16}
_TOKEN = re.compile(r"[a-z]+|\d|[^\sa-z\d]")


@dataclass(frozen=True, kw_only=True)
class SmallOptions:
    """Options of ``bomb.json``.

    Attributes:
        eye, words, hand: widths, see ``bomb.models.small.network.Sizes``.
        execute: actions of a chunk that are carried out before the next look, at least.
        precision: that weights are stored in, out of ``PRECISIONS``; they are float32 in memory.
    """

    eye: tuple[int, int, int, int, int] = Sizes.eye
    words: tuple[int, int, int] = Sizes.words
    hand: int = Sizes.hand
    execute: int = 4
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name, count in (("eye", 5), ("words", 3)):
            values = tuple(getattr(self, name))
            if len(values) != count:
                raise OptionError(f"{name} must be {count} widths, got {list(values)}")
            object.__setattr__(self, name, values)
        for value in (*self.eye, *self.words, self.hand, self.execute):
            check_count("widths and execute", value)
        check_choice("precision", self.precision, PRECISIONS)


class SmallVLA(VLA):
    """See this module.

    Args:
        settings, statistics: as of every VLA.
        vocabulary: tokens in the order of the embedding.
    """

    family: ClassVar[str] = "small"
    recurrent: ClassVar[bool] = True
    scored_in: ClassVar[str] = "metres of way points"

    def __init__(self, settings: VLASettings, statistics: DatasetStatistics, vocabulary: Sequence[str]):
        super().__init__(settings, statistics)
        self.options = read_options(SmallOptions, settings.options, self.family)
        convention = settings.convention
        wanted = {"cameras": CAMERAS, "image_size": IMAGE_SIZE, "history": 1}
        for name, value in wanted.items():
            if (found := getattr(settings, name)) != value:
                raise OptionError(f"{self.family} has {name} {value}, bomb.json says {found}")
        if (convention.action_mode, convention.rotation, convention.gripper) != (
            "delta",
            "absent",
            "continuous_01",
        ):
            raise OptionError(
                f"{self.family} makes deltas of four numbers, an opening of 0 to 1; got {convention}"
            )
        if self.options.execute > settings.chunk:
            raise OptionError(f"execute is {self.options.execute}, of a chunk of {settings.chunk}")
        self.vocabulary = tuple(vocabulary)
        self._ids = {word: k for k, word in enumerate(self.vocabulary)}
        sizes = Sizes(eye=self.options.eye, words=self.options.words, hand=self.options.hand)
        heights = np.linspace(0.0, 0.12, 8).tolist()
        self.network = SmallNetwork(sizes, len(self.vocabulary), settings.chunk, heights)

    # ---- files ------------------------------------------------------------------------------

    @classmethod
    def load(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> "SmallVLA":
        if dtype not in (None, torch.float32, torch.float64):
            raise OptionError(f"small finds planes by least squares and needs float32, got {dtype}")
        folder = Path(folder)
        vocabulary = read_json(folder / VOCABULARY).get("tokens")
        if not isinstance(vocabulary, list) or not {UNKNOWN, EDGE} <= set(vocabulary):
            raise FileError(f"{folder / VOCABULARY} must have tokens, {UNKNOWN} and {EDGE} among them")
        vla = cls(settings, stored.read(folder, settings.dataset), vocabulary)
        load_weights(vla.network, weight_files(folder), dtype=dtype or torch.float32, assign=False)
        vla.to(dtype or torch.float32)
        return vla

    def save(self, folder: Path) -> None:
        from safetensors.torch import save_file

        kind = PRECISIONS[self.options.precision]
        tensors = {
            name: value.detach().to(kind).contiguous().cpu()
            for name, value in self.network.state_dict().items()
        }
        save_file(tensors, Path(folder) / "model.safetensors", metadata={"format": "pt"})
        write_json(Path(folder) / VOCABULARY, {"tokens": list(self.vocabulary)})
        stored.write(folder, {self.settings.dataset: self.statistics})

    @classmethod
    def tiny(
        cls, settings: VLASettings, statistics: DatasetStatistics, *, texts: Sequence[str], seed: int = 0
    ) -> "SmallVLA":
        torch.manual_seed(seed)
        small = {"eye": [8, 8, 8, 2, 16], "words": [8, 12, 4], "hand": 32, "execute": min(4, settings.chunk)}
        known = sorted({word for text in texts for word in tokens_of(text)} | set("01234"))
        settings = replace(settings, options={**small, **settings.options})
        vla = cls(settings, statistics, [UNKNOWN, EDGE, *known])
        vla.eval()
        return vla

    # ---- questions --------------------------------------------------------------------------

    def encode(
        self,
        requests: Sequence[Request],
        actions: npt.NDArray[np.float32] | None = None,
        *,
        valid: npt.NDArray[np.bool_] | None = None,
        length: int | None = None,
    ) -> Batch:
        if not requests:
            raise OptionError("there are no requests")
        settings, patches = self.settings, SIDE * SIDE
        after = len(CAMERAS) * patches + 1  # patches, and what acts
        texts = [self._tokens(request.instruction) for request in requests]
        longest = max(max(len(ids) for ids, _ in texts) + after, length or 0)
        ids = np.zeros((len(requests), longest - after), dtype=np.int64)
        mask = np.zeros((len(requests), longest), dtype=bool)
        layouts = []
        for k, (numbers, where) in enumerate(texts):
            first = longest - after - len(numbers)
            ids[k, first:], mask[k, first:] = numbers, True
            characters = np.full((longest, 2), NOWHERE[0], dtype=np.int64)
            characters[first : longest - after] = where
            pictures = {
                camera: longest - after + number * patches + np.arange(patches).reshape(SIDE, SIDE)
                for number, camera in enumerate(CAMERAS)
            }
            layouts.append(Layout(pictures=pictures, characters=characters, actions=np.array([longest - 1])))
        seen = np.stack(
            [np.stack(request.look(settings.cameras, settings.image_size)) for request in requests]
        )
        inputs = {
            "ids": torch.from_numpy(ids),
            "pictures": torch.from_numpy(seen.transpose(0, 1, 4, 2, 3).astype(np.float32) / 255).to(
                self.dtype
            ),
            "states": torch.from_numpy(np.stack([self._state(request) for request in requests])).to(
                self.dtype
            ),
            "memory": torch.from_numpy(np.stack([self._memory(request) for request in requests])).to(
                self.dtype
            ),
        }
        taught = self.teach(actions, valid, len(requests)) or {}
        positions = np.maximum(mask.cumsum(1) - 1, 0)
        batch = Batch(
            inputs=inputs, attention_mask=torch.from_numpy(mask), position_ids=torch.from_numpy(positions),
            layouts=tuple(layouts), actions=taught.get("actions"), valid=taught.get("valid"),
        )  # fmt: skip
        return batch.to(self.device)

    def _tokens(self, text: str) -> tuple[list[int], npt.NDArray[np.int64]]:
        """Ids of the tokens between two edges, and which characters each covers, int64[n, 2]."""
        found = list(_TOKEN.finditer(text.lower()))[:MOST_TOKENS]
        words = [EDGE, *(match.group() for match in found), EDGE]
        spans = [NOWHERE, *(match.span() for match in found), NOWHERE]
        return [self._ids.get(word, self._ids[UNKNOWN]) for word in words], np.array(spans, dtype=np.int64)

    @staticmethod
    def _state(request: Request) -> npt.NDArray[np.float32]:
        return np.asarray(request.state, dtype=np.float32)

    def _memory(self, request: Request) -> npt.NDArray[np.float32]:
        empty = beginning(self._state(request))
        if request.memory is None:
            return empty
        if np.shape(request.memory) != empty.shape:
            raise ConventionError(
                f"the memory has {np.shape(request.memory)} numbers, the model {empty.shape}"
            )
        return np.asarray(request.memory, dtype=np.float32)

    def answer(self, batch: Batch) -> SmallOutput:
        """What the network says about a batch."""
        mask, ids = batch.attention_mask, batch.inputs["ids"]
        words = ids.shape[1]
        shown = mask[:, words:-1].to(self.dtype).unflatten(1, (len(CAMERAS), SIDE, SIDE))
        question = Question(
            pictures=batch.inputs["pictures"], shown=shown, states=batch.inputs["states"],
            memory=EpisodeMemory.unpacked(batch.inputs["memory"]), tokens=ids, there=mask[:, :words],
        )  # fmt: skip
        answer: SmallOutput = self.network(question)
        return answer

    # ---- answers ----------------------------------------------------------------------------

    @property
    def max_step(self) -> float:
        """How far the commanded target moves along an axis in one action (m)."""
        return SPEED / self.settings.control_hz

    def wanted(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Way points float[B, chunk, 3] (m) and openings float[B, chunk] to be learned; which count."""
        actions, valid = learned(batch)
        plain = torch.from_numpy(self.codec.denormalise(actions.cpu().numpy())).to(self.device, self.dtype)
        scale = self.settings.convention.delta_scale * self.max_step
        here = EpisodeMemory.unpacked(batch.inputs["memory"]).commanded[:, None, :3]
        return here + scale * plain[..., :3].cumsum(1), plain[..., 3], valid

    def loss(
        self,
        batch: Batch,
        *,
        weights: Mapping[str, float] | None = None,
        seeds: Sequence[tuple[int, int]] | None = None,
    ) -> Losses:
        points, openings, valid = self.wanted(batch)
        return self.chunk_loss(self.answer(batch), points, openings, valid, weights)

    def chunk_loss(
        self, answer: SmallOutput, points: Tensor, openings: Tensor, valid: Tensor,
        weights: Mapping[str, float] | None = None,
    ) -> Losses:  # fmt: skip
        """Distances of way points (weighted per metre), and the cross entropy of openings."""
        away = METRE * (answer.targets - points).abs()
        cross = functional.binary_cross_entropy_with_logits(answer.openings, openings, reduction="none")
        errors = torch.cat([away, cross[..., None]], 2)
        return chunk_losses(errors, valid, self.codec.groups, weights)

    @torch.no_grad()
    def decide(self, batch: Batch, *, seeds: Sequence[tuple[int, int]]) -> Reference:
        answer = self.answer(batch)
        if not (torch.isfinite(answer.targets).all() and torch.isfinite(answer.openings).all()):
            raise PolicyOutputError("the model's actions are not finite")
        memory, openings = answer.memory, answer.openings.sigmoid()
        here = memory.commanded[:, :3]
        points = followed(here, answer.targets, self.max_step)
        steps = torch.diff(points, dim=1, prepend=here[:, None]) / self.max_step
        actions = torch.cat([steps.clamp(-1, 1), openings[..., None]], 2)
        count = carried_out(memory, points, openings, self.options.execute)
        raw = {
            "arm": answer.targets, "bits": (openings > 0.5).to(openings.dtype), "execute": count,
            "memory": remembered(memory, points, openings, count).packed(),
            "stone": answer.stone, "goal": answer.goal, "errors": answer.errors,
            "holds": memory.holds[:, 0] > 0, "released": memory.released[:, 0] > 0,
        }  # fmt: skip
        return Reference(actions=actions.float().cpu().numpy(), raw=raw)

    def score(self, batch: Batch, reference: Reference) -> Scores:
        answer = self.answer(batch)
        raw = {name: reference.raw[name].to(self.device) for name in ("arm", "bits")}
        return regression_scores(answer.targets, answer.openings, raw["arm"], raw["bits"], self.codec.groups)

    # ---- the inside -------------------------------------------------------------------------

    @property
    def anatomy(self) -> Anatomy:
        layer = self.network.reader.layer
        reading = Layer(
            stream="reader", index=0, module=layer, attention=layer.attention,
            output_projection=layer.attention.output, mlp=layer.mlp, heads=HEADS,
            head_dim=self.options.words[2],
        )  # fmt: skip
        return Anatomy(
            layers=(reading,), grids={camera: PictureGrid(rows=SIDE, cols=SIDE) for camera in CAMERAS}
        )

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        inside = {"vision": "eyes", "words": "reader", "belief": "belief", "head": "hand"}
        return {name: (f"network.{part}.",) for name, part in inside.items()}
