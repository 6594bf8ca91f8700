"""The reader learns what words say, from sentences alone."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from bomb.models.small.reading import SmallReader
from bomb.training.keypoint.fitting import fit
from bomb.training.keypoint.recipe import PartRecipe
from bomb.training.keypoint.sentences import all_of
from bomb.training.keypoint.words import batch_of, lessons


def slot_loss(slots: tuple[Tensor, ...], meant: Tensor) -> Tensor:
    """Cross entropy of colour, row and column; ``meant`` is int64[N, 3]."""
    losses = [functional.cross_entropy(logits, meant[:, k]) for k, logits in enumerate(slots)]
    return torch.stack(losses).sum()


def train_reader(
    reader: SmallReader, vocabulary: list[str], recipe: PartRecipe, seed: int,
    report: Callable[[int, float], None] | None = None,
) -> None:  # fmt: skip
    """Teaches a reader.

    Args:
        reader: with random weights.
        vocabulary: tokens in the order of its embedding.
        recipe: how.
        seed: of the sentences.
        report: called with each step and its loss.
    """
    draw = lessons(vocabulary, recipe.batch, seed)

    def loss_of() -> Tensor:
        tokens, there, meant = draw()
        return slot_loss(reader(tokens, there), meant)

    fit(reader, recipe, loss_of, weight_decay=1e-4, report=report)


def read_right(reader: SmallReader, vocabulary: list[str], words: str) -> float:
    """The share of a set's sentences of which colour, row and column are all read right."""
    places = {word: k for k, word in enumerate(vocabulary)}
    tokens, there, meant = batch_of(list(all_of(words)), places)
    with torch.inference_mode():
        said = torch.stack([logits.argmax(1) for logits in reader(tokens, there)], 1)
    return float((said == meant).all(1).float().mean())
