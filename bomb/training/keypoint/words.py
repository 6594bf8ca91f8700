"""The reader of words in torch, and how it learns."""

from collections.abc import Callable
from functools import reduce

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bomb.models.keypoint.words import EDGE, SLOTS, UNKNOWN, VALUES, WIDTH, numbers_of, tokens_of
from bomb.training.keypoint.fitting import fit
from bomb.training.keypoint.recipe import PartRecipe
from bomb.training.keypoint.sentences import Sentence, all_of, sentence

EMBEDDED, CONTEXT = 24, 40
FORGOTTEN = 0.15  # share of tokens that are hidden while learning, so that unknown ones do no harm
SCANNED = 6000  # sentences that the vocabulary is taken from
KEPT = frozenset(
    [
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "black",
        "white",
        "dark",
        "light",
        "row",
        "column",
        "zero",
        "one",
        "two",
        "three",
        "four",
    ]
)
KEPT |= frozenset(["first", "second", "third", "fourth", "fifth", "a", "b", "c", "d", "e", "(", ")", ","])


class WordsNetwork(nn.Module):
    """Two layers of context over tokens; for each slot attention, and what the attended token says."""

    def __init__(self, vocabulary: int):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, EMBEDDED)
        self.context1 = nn.Conv1d(EMBEDDED, CONTEXT, WIDTH, padding=WIDTH // 2)
        self.context2 = nn.Conv1d(CONTEXT, CONTEXT, WIDTH, padding=WIDTH // 2)
        self.scores = nn.Linear(CONTEXT, len(SLOTS))
        self.values = nn.Linear(CONTEXT, sum(len(values) for values in VALUES.values()))

    def forward(self, tokens: torch.Tensor, there: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits by slot.

        Args:
            tokens: int64[N, T], padded.
            there: bool[N, T], which tokens there are.
        """
        mask = there[:, None].float()
        x = self.embedding(tokens).transpose(1, 2) * mask
        x = functional.relu(self.context1(x)) * mask
        x = (functional.relu(self.context2(x)) * mask).transpose(1, 2)
        scores = self.scores(x).masked_fill(~there[..., None], -1e9)
        said, made, first = self.values(x), {}, 0
        for k, slot in enumerate(SLOTS):
            count = len(VALUES[slot])
            share = scores[..., k].softmax(1)
            made[slot] = torch.einsum("nt,ntv->nv", share, said[..., first : first + count])
            first += count
        return made


def make_vocabulary(seed: int) -> list[str]:
    """The tokens of the sentences that are learned from, in a fixed order."""
    rng = np.random.default_rng([seed, 0])
    words = {token for _ in range(SCANNED) for token in tokens_of(sentence(rng)[0])}
    return [UNKNOWN, EDGE, *sorted(words)]


def train_words(
    recipe: PartRecipe, seed: int, report: Callable[[int, float], None] | None = None
) -> tuple[WordsNetwork, list[str]]:
    """A reader, and its vocabulary.

    Args:
        recipe: how.
        seed: of weights and sentences.
        report: called with each step and its loss.
    """
    torch.manual_seed(seed)
    vocabulary = make_vocabulary(seed)
    network, draw = WordsNetwork(len(vocabulary)), lessons(vocabulary, recipe.batch, seed)

    def loss_of() -> torch.Tensor:
        tokens, there, wanted = draw()
        logits = network(tokens, there)
        each = (functional.cross_entropy(logits[slot], wanted[:, k]) for k, slot in enumerate(SLOTS))
        return reduce(torch.add, each)

    fit(network, recipe, loss_of, weight_decay=1e-4, report=report)
    return network, vocabulary


def lessons(
    vocabulary: list[str], batch: int, seed: int
) -> Callable[[], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Draws batches of ``batch_of`` with some of their tokens hidden, never those that carry a slot."""
    places = {word: k for k, word in enumerate(vocabulary)}
    kept = torch.tensor([word in KEPT or word == EDGE for word in vocabulary])
    rng = np.random.default_rng([seed, 1])

    def draw() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        tokens, there, meant = batch_of([sentence(rng) for _ in range(batch)], places)
        hidden = torch.from_numpy(rng.random(tokens.shape) < FORGOTTEN) & ~kept[tokens]
        return tokens.masked_fill(hidden, places[UNKNOWN]), there, meant

    return draw


def batch_of(
    sentences: list[Sentence], places: dict[str, int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens int64[N, T], which there are bool[N, T], and what they mean int64[N, 3]."""
    numbers = [numbers_of(text, places) for text, _ in sentences]
    longest = max(map(len, numbers))
    tokens = np.zeros((len(numbers), longest), dtype=np.int64)
    there = np.zeros((len(numbers), longest), dtype=bool)
    for k, row in enumerate(numbers):
        tokens[k, : len(row)], there[k, : len(row)] = row, True
    wanted = torch.tensor([meaning for _, meaning in sentences])
    return torch.from_numpy(tokens), torch.from_numpy(there), wanted


def read_right(network: WordsNetwork, vocabulary: list[str], words: str) -> float:
    """The share of a set's sentences of which colour, row and column are all read right."""
    places = {word: k for k, word in enumerate(vocabulary)}
    tokens, there, wanted = batch_of(list(all_of(words)), places)
    network.eval()
    with torch.inference_mode():
        logits = network(tokens, there)
    network.train()
    said = torch.stack([logits[slot].argmax(1) for slot in SLOTS], 1)
    return float((said == wanted).all(1).float().mean())
