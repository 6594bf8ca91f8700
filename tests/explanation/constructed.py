"""A model whose inside is known: one head reads one patch, another one word, and nothing else counts."""

import numpy as np
import torch
from torch import nn

from bomb.models.anatomy import Anatomy, Layer, PictureGrid
from bomb.models.answers import Reference, Scores
from bomb.models.batches import Batch
from bomb.models.sequences import Learned, Patches, assemble, gather
from bomb.models.testing.questions import toy_settings, toy_statistics
from bomb.models.vla import VLA
from bomb.models.words import small_tokenizer, tokenize

SIDE = 4  # patches on a side of the picture
PATCH = (1, 2)
WORD = "3"  # the digit of the column in the sentence below
TEXT = "place the black stone on the board at row 1, column 3"
WIDTH = 4  # of a vector: [is the patch, its brightness, is the word, 1]
SHARP = 80.0  # of attention: e^-80 is left for all that is not looked at


class Attention(nn.Module):
    """Head 0 looks where the first number is 1 and reads the second; head 1 looks and reads the third."""

    def __init__(self):
        super().__init__()
        self.output = nn.Linear(2, 2, bias=False)
        nn.init.eye_(self.output.weight)

    def forward(self, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        read = []
        for key, value in ((0, 1), (2, 2)):
            weights = (SHARP * vectors[..., key]).masked_fill(~mask, -torch.inf).softmax(-1)
            read.append((weights * vectors[..., value]).sum(-1))
        return self.output(torch.stack(read, dim=-1))[:, None].expand(-1, vectors.shape[1], -1)


class Block(nn.Module):
    """Its attention, and an MLP that adds nothing."""

    def __init__(self):
        super().__init__()
        self.attention, self.mlp = Attention(), nn.Linear(2, 2)
        nn.init.zeros_(self.mlp.weight)
        nn.init.zeros_(self.mlp.bias)

    def forward(self, vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        found = self.attention(vectors, mask)
        return found + self.mlp(found)


class Constructed(VLA):
    """x of the action is the patch's brightness, y whether the word is read; the rest is 0."""

    family = "constructed"

    def __init__(self):
        super().__init__(toy_settings("constructed"), toy_statistics())
        self.tokenizer = small_tokenizer([TEXT])
        self.block = Block()
        self.word = self.tokenizer.convert_tokens_to_ids(WORD)

    def encode(self, requests, actions=None, *, valid=None, length=None) -> Batch:
        samples = [
            [
                Patches(camera="head", rows=SIDE, cols=SIDE),
                tokenize(self.tokenizer, "{instruction}", request.instruction, special=False),
                Learned(acts=True),
            ]
            for request in requests
        ]
        sequences = assemble(samples, pad=0, length=length)
        pictures = np.stack([request.look(("head",), self.settings.image_size)[0] for request in requests])
        step = pictures.shape[1] // SIDE
        patches = pictures.reshape(len(requests), SIDE, step, SIDE, step, 3).mean((2, 4, 5)) / 255
        return Batch(
            inputs={**sequences.inputs, "patches": torch.from_numpy(patches.reshape(len(requests), -1))},
            attention_mask=sequences.mask,
            position_ids=sequences.positions,
            layouts=sequences.layouts,
        )

    def read(self, batch: Batch) -> torch.Tensor:
        """float64[B, 2]: what the two heads read."""
        bright, ids = batch.inputs["patches"], batch.inputs["ids"]
        here = torch.zeros(SIDE * SIDE, dtype=bright.dtype)
        here[PATCH[0] * SIDE + PATCH[1]] = 1
        zero, one = torch.zeros_like(bright), torch.ones_like(bright)
        patches = torch.stack([here.expand_as(bright), bright, zero, one], dim=-1)
        named = (ids == self.word).to(bright.dtype)
        words = torch.stack([torch.zeros_like(named)] * 2 + [named, torch.ones_like(named)], dim=-1)
        learned = torch.zeros(len(ids), 1, WIDTH, dtype=bright.dtype)
        vectors = gather(batch.inputs["slots"], words, patches, learned)
        return self.block.double()(vectors, batch.attention_mask)[:, -1]

    def decide(self, batch: Batch, *, seeds) -> Reference:
        values = self.read(batch).detach()
        actions = np.zeros((len(batch), 1, 4), dtype=np.float32)
        actions[:, 0, :2] = values.numpy()
        return Reference(actions=actions, raw={"values": values})

    def score(self, batch: Batch, reference: Reference) -> Scores:
        away = -(self.read(batch) - reference.raw["values"]).abs()
        nothing = torch.zeros(len(batch), dtype=away.dtype)
        return Scores(total=away.sum(1), groups={"xy": away.sum(1), "z": nothing, "gripper": nothing})

    @property
    def anatomy(self) -> Anatomy:
        block = self.block
        layer = Layer(
            stream="language",
            index=0,
            module=block,
            attention=block.attention,
            output_projection=block.attention.output,
            mlp=block.mlp,
            heads=2,
            head_dim=1,
        )
        return Anatomy(layers=(layer,), grids={"head": PictureGrid(rows=SIDE, cols=SIDE)})

    @property
    def parts(self):
        return {"vision": (), "words": (), "language": ("block.",)}

    @classmethod
    def load(cls, folder, settings, *, dtype=None):
        raise AssertionError("it has no files")

    def save(self, folder) -> None:
        raise AssertionError("it has no files")

    @classmethod
    def tiny(cls, settings, statistics, *, texts, seed=0):
        return cls()

    def loss(self, batch, *, weights=None, seeds=None):
        raise AssertionError("it does not learn")
