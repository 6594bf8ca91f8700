"""A small pi0 from nothing: its configuration, and a processor with a tokenizer of its own.

The architecture is pi0's (a PaliGemma that reads pictures and words, a Gemma of the same depth that makes
actions by flow matching); only widths, depths and the vocabulary are small.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import POSITIVE, OptionError, check_numbers

PAD, BEGIN, END, UNKNOWN = "<pad>", "<bos>", "<eos>", "<unk>"
NUMBERS = 4  # of the state and of an action, as BOMB has them


@dataclass(frozen=True, kw_only=True)
class SmallPi0:
    """Sizes of a small model.

    Attributes:
        width: of every layer; a multiple of 4 x ``heads``.
        layers: of the language model and of the action expert.
        vision_layers: of the picture encoder.
        heads: of attention, everywhere.
        patch: side of a patch (pixels); must divide the picture's side.
        chunk: actions that are made at once.
        denoising_steps: of flow matching, when acting.
    """

    width: int = 64
    layers: int = 2
    vision_layers: int = 2
    heads: int = 4
    patch: int = 16
    chunk: int = 10
    denoising_steps: int = 10

    def __post_init__(self) -> None:
        check_numbers(self, dict.fromkeys(self.__dataclass_fields__, POSITIVE))
        if self.width % (4 * self.heads):
            raise OptionError(f"width must be a multiple of 4 x heads = {4 * self.heads}, got {self.width}")

    def picture_tokens(self, side: int) -> int:
        """Tokens that a picture of ``side`` x ``side`` pixels becomes.

        Raises:
            OptionError: if the patch does not divide the side.
        """
        if side % self.patch:
            raise OptionError(f"patch must divide the picture's side of {side} pixels, got {self.patch}")
        return (side // self.patch) ** 2


def make_model(sizes: SmallPi0, *, side: int, vocabulary: int, image_token: int):
    """A ``PI0ForConditionalGeneration`` with random weights (torch's generator).

    Args:
        sizes: of its parts.
        side: of the pictures (pixels).
        vocabulary: tokens that there are.
        image_token: which of them stands for a piece of a picture.
    """
    from transformers import PI0Config, PI0ForConditionalGeneration

    common = {
        "hidden_size": sizes.width,
        "intermediate_size": 4 * sizes.width,
        "num_attention_heads": sizes.heads,
    }
    language = {
        **common,
        "model_type": "gemma",
        "num_hidden_layers": sizes.layers,
        "num_key_value_heads": 1,
        "head_dim": sizes.width // sizes.heads,
    }
    vision = {
        **common,
        "model_type": "siglip_vision_model",
        "num_hidden_layers": sizes.vision_layers,
        "image_size": side,
        "patch_size": sizes.patch,
        "vision_use_head": False,
    }
    return PI0ForConditionalGeneration(
        PI0Config(
            vlm_config={
                "model_type": "paligemma",
                "text_config": {**language, "vocab_size": vocabulary},
                "vision_config": vision,
                "hidden_size": sizes.width,
                "projection_dim": sizes.width,
                "image_token_id": image_token,
            },
            dit_config=language,
            chunk_size=sizes.chunk,
            max_state_dim=NUMBERS,
            max_action_dim=NUMBERS,
            num_inference_steps=sizes.denoising_steps,
        )
    )


def make_tokenizer(texts: Iterable[str]):
    """A tokenizer that knows the words of ``texts``, each digit and each punctuation mark by itself.

    Digits and letters A-E are known in any case, so that every intersection can be named.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
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
    known = [PAD, BEGIN, END, UNKNOWN, *"0123456789", *"abcde", "(", ")", ","]
    words = {word for text in texts for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text.lower())}
    known += sorted(words - set(known))
    tokenizer.model = models.WordLevel({word: k for k, word in enumerate(known)}, unk_token=UNKNOWN)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=BEGIN, eos_token=END, unk_token=UNKNOWN
    )


def make_processor(texts: Iterable[str], sizes: SmallPi0, *, side: int, statistics: dict[str, list[float]]):
    """A ``PI0Processor``: pictures to [-1, 1], words to tokens, state and actions to mean 0 and deviation 1.

    Args:
        texts: instructions whose words are to be known.
        sizes: of the model.
        side: of the pictures (pixels).
        statistics: ``state_mean``, ``state_std``, ``actions_mean``, ``actions_std``.
    """
    from transformers import PI0Processor, SiglipImageProcessorPil

    pictures = SiglipImageProcessorPil(size={"height": side, "width": side})
    pictures.image_seq_length = sizes.picture_tokens(side)
    return PI0Processor(
        image_processor=pictures,
        tokenizer=make_tokenizer(texts),
        max_state_dim=NUMBERS,
        chunk_size=sizes.chunk,
        **statistics,
    )
