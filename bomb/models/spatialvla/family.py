"""SpatialVLA under BOMB's contract: pictures with 3-D positions, three tokens an action.

::

    [patches of every camera] <bos> What action should the robot take to {instruction}?\\n [tokens] <eos>

The question looks at all of itself, the answer at what was before it. Depth is ZoeDepth's guess, or, in the
twin ``depth: true``, the simulator's own, with K as the episode has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from bomb.disk.files import read_json, write_json
from bomb.models import masks
from bomb.models.backbones.inside import decoder_layers, vision_layers
from bomb.models.codecs import statistics as stored
from bomb.models.codecs.spatial import RANGES, TOKENS, TRANSLATION, SpatialGrid
from bomb.models.codecs.statistics import DatasetStatistics
from bomb.models.losses import learned
from bomb.models.pictures import normalise, resize
from bomb.models.requests import Request
from bomb.models.sequences import Patches, assemble, gather
from bomb.models.settings import VLASettings, read_options
from bomb.models.spatialvla.building import TINY_BINS, action_words, tiny_config, tiny_tokenizer
from bomb.models.spatialvla.config import PROCESSOR, SpatialVLAConfig, grid_values, read_grid
from bomb.models.spatialvla.depth import camera_matrix, true_depth
from bomb.models.spatialvla.names import ours, public
from bomb.models.spatialvla.network import SpatialNetwork
from bomb.models.spatialvla.tokens import numbers_of, spatial_losses, spatial_scores
from bomb.models.tokens import decode, forced
from bomb.models.vla import VLA, Anatomy, Batch, Losses, PictureGrid, Reference, Scores
from bomb.models.weights import empty, load_weights, save_weights, weight_files
from bomb.models.words import Tokens, check_tokens, load_tokenizer, tokenize
from core.errors import OptionError, check_choice

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PROMPT = "What action should the robot take to {instruction}?\n"
DEPTHS = ("zoe", "true")
MIN_SIGMA = 0.5  # of fitted bins, as in the public pre-training


@dataclass(frozen=True, kw_only=True)
class SpatialVLAOptions:
    """Options of ``bomb.json``.

    Attributes:
        depth: ``zoe``: guessed from the picture; ``true``: the simulator's.
        intrinsics: by camera, float[3][3] for pictures of ``image_size``, which count from 0 at their edge,
            where a request does not tell; those left out are taken as on BOMB's stage.
    """

    depth: str = "zoe"
    intrinsics: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given: object = self.depth
        if given is True:  # YAML reads an unquoted `true` so
            object.__setattr__(self, "depth", "true")
        check_choice("depth", self.depth, DEPTHS)
        for camera, matrix in self.intrinsics.items():
            try:
                found = np.asarray(matrix, dtype=np.float64)
            except (TypeError, ValueError):
                found = np.zeros(0)
            if found.shape != (3, 3) or not np.isfinite(found).all() or abs(np.linalg.det(found)) < 1e-9:
                raise OptionError(
                    f"intrinsics of {camera} must be a matrix of 3 x 3 that can be inverted, got {matrix}"
                )


class SpatialVLA(VLA):
    """Three tokens an action: translation, rotation, gripper.

    Args:
        settings, statistics: as of every VLA.
        config: of the network.
        tokenizer: a fast one, with the action tokens.
        grid: what the action tokens mean.
        network: with its weights; None makes it with random ones.

    Raises:
        OptionError: if they do not fit each other.
    """

    family: ClassVar[str] = "spatialvla"
    reads_answer: ClassVar[bool] = True

    def __init__(
        self,
        settings: VLASettings,
        statistics: DatasetStatistics,
        config: SpatialVLAConfig,
        tokenizer: "PreTrainedTokenizerFast",
        grid: SpatialGrid,
        network: SpatialNetwork | None = None,
    ):
        super().__init__(settings, statistics)
        self.options = read_options(SpatialVLAOptions, settings.options, self.family)
        self.modalities = ("rgb", "depth", "intrinsics") if self.options.depth == "true" else ("rgb",)
        if grid.size != config.tokens:
            raise OptionError(f"the grid has {grid.size} tokens, the network {config.tokens}")
        if self.options.depth == "zoe" and config.zoe is None:
            raise OptionError("this network has no ZoeDepth; the option depth must be 'true'")
        first, *_, last = action_words(config.tokens)
        check_tokens(
            tokenizer, {first: config.begin, last: config.begin + config.tokens - 1}, "this checkpoint"
        )
        self.config, self.tokenizer, self.grid = config, tokenizer, grid
        self.matrices()
        self.network = SpatialNetwork(config) if network is None else network

    # ---- files ------------------------------------------------------------------------------

    @classmethod
    def load(cls, folder: Path, settings: VLASettings, *, dtype: torch.dtype | None = None) -> Self:
        config = SpatialVLAConfig.read(folder)
        processor = read_json(Path(folder) / PROCESSOR)
        if (Path(folder) / stored.FILE).is_file():
            statistics = stored.read(folder, settings.dataset)
        else:
            source = str(Path(folder) / PROCESSOR)
            statistics = stored.choose(processor.get("statistics") or {}, settings.dataset, source)
        grid = read_grid(processor, str(Path(folder) / PROCESSOR))
        network = empty(lambda: SpatialNetwork(config))
        network.tie_weights()
        load_weights(network, weight_files(folder), dtype=dtype, rename=ours)
        return cls(settings, statistics, config, load_tokenizer(folder), grid, network)

    def save(self, folder: Path) -> None:
        write_json(folder / "config.json", dict(self.config.raw))
        found = {self.settings.dataset: self.statistics.to_dict()}
        chunk = {"statistics": found, "action_chunk_size": self.settings.chunk}
        write_json(folder / PROCESSOR, {**grid_values(self.grid), **chunk})
        stored.write(folder, {self.settings.dataset: self.statistics})
        self.tokenizer.save_pretrained(folder)
        save_weights(self.network, folder, shard_mb=5000, rename=public)

    @classmethod
    def tiny(
        cls, settings: VLASettings, statistics: DatasetStatistics, *, texts: Sequence[str], seed: int = 0
    ) -> Self:
        tokenizer = tiny_tokenizer([*texts, PROMPT])
        config = tiny_config(tokenizer.get_vocab()[action_words(1)[0]])
        torch.manual_seed(seed)
        vla = cls(settings, statistics, config, tokenizer, SpatialGrid.uniform(TINY_BINS))
        vla.network.initialise()
        vla.eval()
        return vla

    def refit(self, grid: SpatialGrid) -> None:
        """Takes other bins of the same number, with embeddings between those of the old ones; in place.

        Raises:
            OptionError: if the numbers of bins differ.
        """
        from bomb.models.codecs.spatial import refit

        network, begin = self.network, self.config.begin
        rows = slice(begin, begin + self.config.tokens)
        tables = [network.language_model.model.embed_tokens.weight.data[rows]]
        if self.config.spatial:
            tables.append(network.spatial_embed_tokens.weight.data)
        for table in tables:
            found = refit(table.float().cpu().numpy(), self.grid, grid)
            table.copy_(torch.from_numpy(found).to(table))
        self.grid = grid

    def adapt(self, actions: npt.NDArray[np.float32]) -> None:
        """Takes bins that are fitted to the actions of chunks, float32[N, chunk, 4], by ``refit``."""
        from bomb.models.codecs.spatial import fit

        whole = _seven(self.codec.normalise(actions).reshape(-1, self.codec.dims))
        self.refit(SpatialGrid.gaussian(fit(whole), self.grid.counts, min_sigma=MIN_SIGMA))

    # ---- questions --------------------------------------------------------------------------

    def encode(
        self,
        requests: Sequence[Request],
        actions: npt.NDArray[np.float32] | None = None,
        *,
        valid: npt.NDArray[np.bool_] | None = None,
        length: int | None = None,
    ) -> Batch:
        settings, side = self.settings, self.config.patches
        shown = [request.look(settings.cameras, settings.image_size) for request in requests]
        taught = self.teach(actions, valid, len(requests))
        answers = None if taught is None else self.to_ids(taught["actions"].numpy())
        pictures = [Patches(camera=camera, rows=side, cols=side) for camera in settings.cameras]
        samples: list[list[Tokens | Patches]] = []
        for k, request in enumerate(requests):
            words = tokenize(self.tokenizer, PROMPT, request.instruction.strip())
            answer = [] if answers is None else [Tokens.of(*answers[k], self.config.stop)]
            samples.append([*pictures, words, *answer])
        sequences = assemble(samples, pad=self.config.text.get("pad_token_id") or 0, length=length)
        pixels = np.stack([[self._pixels(one) for one in of_sample] for of_sample in shown])
        matrices = np.stack([self.matrices(request.intrinsics) for request in requests])
        inputs = {
            "pixels": torch.from_numpy(pixels).to(self.dtype),
            "intrinsics": torch.from_numpy(matrices),
        }
        if self.options.depth == "true":
            depth = [true_depth(request, settings.cameras, settings.image_size) for request in requests]
            inputs["depth"] = torch.from_numpy(np.stack(depth))
        return sequences.batch(inputs, taught, sequences.positions + 1).to(self.device)  # as PaliGemma

    def matrices(self, told: Mapping[str, npt.ArrayLike] | None = None) -> npt.NDArray[np.float32]:
        """K of every camera, float32[cameras, 3, 3]: as a request tells it, else as the options do.

        Raises:
            UnknownNameError: for a camera that nobody knows.
        """
        given = {**self.options.intrinsics, **(told or {})}
        size, side = self.settings.image_size, self._depth_side
        return np.stack([camera_matrix(camera, size, given, side) for camera in self.settings.cameras])

    def embed(self, batch: Batch) -> Tensor:
        """The sequence as vectors, float[B, L, d]."""
        inputs, network = batch.inputs, self.network
        count = inputs["pixels"].shape[:2]
        pictures = inputs["pixels"].flatten(0, 1)
        depth = inputs["depth"].flatten(0, 1) if "depth" in inputs else network.estimate(pictures)
        matrices = inputs["intrinsics"].float().flatten(0, 1)
        patches = network.see(pictures, depth, matrices).unflatten(0, count).flatten(1, 2)
        return gather(inputs["slots"], network.words(inputs["ids"]), patches)

    # ---- answers ----------------------------------------------------------------------------

    @property
    def numbers(self) -> int:
        """Tokens of an answer."""
        return self.settings.chunk * TOKENS

    def to_ids(self, actions: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
        """Token ids, int64[B, chunk * 3], of normalised actions float[B, chunk, dims]."""
        return self.grid.encode(_seven(actions)).reshape(len(actions), -1) + self.config.begin

    def loss(
        self,
        batch: Batch,
        *,
        weights: Mapping[str, float] | None = None,
        seeds: Sequence[tuple[int, int]] | None = None,
    ) -> Losses:
        actions, valid = learned(batch)
        embeddings, mask = self.embed(batch), batch.attention_mask
        order = torch.arange(mask.shape[1], device=mask.device)
        asked = mask & (order < mask.shape[1] - self.numbers - 1)
        allowed = masks.additive(masks.prefix(mask, asked), embeddings.dtype)
        hidden = self.network.hidden(embeddings, allowed, batch.position_ids)
        logits = self.network.logits(hidden[:, -self.numbers - 2 : -1])
        labels = batch.inputs["ids"].gather(1, batch.inputs["slots"][:, -self.numbers - 1 :])
        return spatial_losses(
            logits, labels, actions, valid, grid=self.grid, begin=self.config.begin,
            groups=self.codec.groups, weights=weights,
        )  # fmt: skip

    def decide(self, batch: Batch, *, seeds: Sequence[tuple[int, int]]) -> Reference:
        with torch.no_grad():
            tokens = decode(self.network, self.embed(batch), batch, self.numbers)
        values = numbers_of(tokens, self.grid, self.config.begin, self.codec.dims)
        return Reference(actions=self.codec.to_bomb(values), raw={"tokens": tokens})

    def score(self, batch: Batch, reference: Reference) -> Scores:
        tokens = reference.raw["tokens"].to(self.device)
        logits = forced(self.network, self.embed(batch), batch, tokens)
        return spatial_scores(logits, tokens, self.grid, self.config.begin, self.codec.groups)

    @property
    def round_trip(self) -> float:  # type: ignore[override]
        """Half a cell, at the rim of the sphere: bins of angles are wide there."""
        theta, phi, r = (np.diff(self.grid.edges[axis]).max() / 2 for axis in TRANSLATION)
        found = self.codec.statistics
        width = float((found.q99 - found.q01)[:3].max()) / 2 * self.codec.convention.delta_scale
        return float(r + RANGES["r"][1] * (theta + phi)) * width + 1e-6

    def quantise(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        flat = values.reshape(1, -1, self.codec.dims)
        ids = torch.from_numpy(self.to_ids(flat))
        return numbers_of(ids, self.grid, self.config.begin, self.codec.dims).reshape(values.shape)

    # ---- the inside -------------------------------------------------------------------------

    @property
    def anatomy(self) -> Anatomy:
        side, network = self.config.patches, self.network
        heads = network.vision_tower.config.num_attention_heads
        return Anatomy(
            layers=(
                *vision_layers(network.vision_tower.encoder.layers, heads),
                *decoder_layers(network.language_model.model.layers),
            ),
            grids={camera: PictureGrid(rows=side, cols=side) for camera in self.settings.cameras},
        )

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        words = ("network.language_model.model.embed_tokens.",)
        found = {
            "vision": ("network.vision_tower.",),
            "projector": ("network.multi_modal_projector.",),
            "positions": ("network.position_embedding_3d.",),
            "words": (*words, "network.spatial_embed_tokens.") if self.config.spatial else words,
            "language": ("network.language_model.",),
        }
        return found if self.config.zoe is None else {**found, "depth": ("network.vision_zoe_model.",)}

    @property
    def _depth_side(self) -> int | None:
        return None if self.options.depth == "true" else self.config.side

    def _pixels(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return normalise(resize(picture, self.config.side, self.config.side), np.zeros(3), np.ones(3))


def _seven(actions: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Actions with a rotation, float[..., 7]; of those without one it is zero."""
    return np.insert(actions, [3, 3, 3], 0.0, axis=-1) if actions.shape[-1] == 4 else actions
