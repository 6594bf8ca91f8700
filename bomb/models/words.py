"""Instructions as tokens, with the characters that each token covers; and tokenizers of one's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bomb.disk.files import FileError
from core.errors import OptionError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

UNKNOWN, BEGIN, END, SPACE = "<unk>", "<s>", "</s>", "▁"
NOWHERE = (-1, -1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Tokens:
    """Text as tokens.

    Attributes:
        ids: int64[n].
        characters: int64[n, 2]: which characters of the instruction each covers, [start, end); (-1, -1) for
            what is around it.
    """

    ids: npt.NDArray[np.int64]
    characters: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(
            ids=np.concatenate([self.ids, other.ids]),
            characters=np.concatenate([self.characters, other.characters]),
        )

    @classmethod
    def of(cls, *ids: int) -> "Tokens":
        """Tokens that are no part of the instruction."""
        nowhere = np.tile(np.array(NOWHERE, dtype=np.int64), (len(ids), 1))
        return cls(ids=np.array(ids, dtype=np.int64), characters=nowhere)


def tokenize(
    tokenizer: "PreTrainedTokenizerFast", template: str, instruction: str, *, special: bool = True
) -> Tokens:
    """A prompt as tokens.

    Args:
        tokenizer: a fast one of transformers, which knows what characters a token covers.
        template: the prompt, with ``{instruction}`` once.
        instruction: as it is put in; as long as the one that is asked.
        special: whether the tokenizer puts its own tokens around, such as the beginning of the sequence.

    Raises:
        OptionError: if the tokenizer is no fast one.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise OptionError("a fast tokenizer is needed: it tells which characters a token covers")
    before, _, after = template.partition("{instruction}")
    found = tokenizer(before + instruction + after, return_offsets_mapping=True, add_special_tokens=special)
    start, end = len(before), len(before) + len(instruction)
    characters = [
        (max(first, start) - start, min(last, end) - start) if first < end and last > start else NOWHERE
        for first, last in found["offset_mapping"]
    ]
    return Tokens(
        ids=np.array(found["input_ids"], dtype=np.int64),
        characters=np.array(characters, dtype=np.int64).reshape(-1, 2),
    )


def check_tokens(tokenizer: "PreTrainedTokenizerFast", wanted: dict[str, int], folder: Path | str) -> None:
    """Returns if the tokenizer has these tokens at these ids.

    Raises:
        FileError: naming the first that it has not.
    """
    for token, index in wanted.items():
        here = tokenizer.convert_ids_to_tokens(index) if index < len(tokenizer) else None
        if here != token:
            raise FileError(
                f"the tokenizer in {folder} does not fit the model: id {index} must be {token!r}, is {here!r}"
            )


def load_tokenizer(
    folder: Path, needed: Sequence[str] = (), by: str = "the model"
) -> "PreTrainedTokenizerFast":
    """The fast tokenizer of a folder, from ``tokenizer.json``; no code in the folder is run.

    Args:
        folder: of the checkpoint.
        needed: tokens that it must have.
        by: who needs them, for the message.

    Raises:
        FileError: if there is none, it is damaged, or it is of something else and lacks tokens.
    """
    from transformers import PreTrainedTokenizerFast

    file = Path(folder) / "tokenizer.json"
    if not file.is_file():
        raise FileError(f"{folder} has no tokenizer.json")
    try:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # tokenizers raises bare Exceptions
        raise FileError(f"{file} cannot be read: {error}") from error
    if missing := [token for token in needed if token not in tokenizer.get_vocab()]:
        raise FileError(f"the tokenizer in {folder} lacks {', '.join(missing)}, which {by} needs")
    return tokenizer


def small_tokenizer(
    texts: Iterable[str],
    *,
    first: Sequence[str] = (UNKNOWN, BEGIN, END, SPACE),
    special: Sequence[str] = (),
    begin: str | None = BEGIN,
    size: int | None = None,
) -> "PreTrainedTokenizerFast":
    """A tokenizer that knows the words of ``texts``, each digit and each punctuation mark by itself.

    Digits and letters are known in any case, so that every intersection can be named.

    Args:
        texts: what it is to know.
        first: the tokens with the lowest ids.
        special: more tokens after these, which are found in a text wherever they stand.
        begin: the token that begins every sequence; None: none does.
        size: ids that there are, filled up with tokens that stand for nothing; None: as many as are needed.

    Raises:
        OptionError: if ``size`` is too small.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel({}, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Punctuation(),
        ]
    )
    known = [*first, *special, *"0123456789", *"abcdefghi", *"(),?.:"]
    words = {word for text in texts for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text.lower())}
    known += sorted(words - set(known))
    if size is not None:
        if len(known) > size:
            raise OptionError(f"{len(known)} tokens do not fit into {size} ids")
        known += [f"<unused{k}>" for k in range(size - len(known))]
    ids = {word: k for k, word in enumerate(known)}
    tokenizer.model = models.WordLevel(ids, unk_token=UNKNOWN)
    if begin is not None:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, ids[begin])]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=begin,
        eos_token=END,
        unk_token=UNKNOWN,
        additional_special_tokens=list(special),
        padding_side="left",
    )
