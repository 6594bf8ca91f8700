"""Backbones from nothing: small ones for tests and toys, empty ones to be counted."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from torch import nn

from bomb.models.backbones.base import Backbone
from bomb.models.initial import lively
from bomb.models.words import small_tokenizer

VOCABULARY = 192
Built = TypeVar("Built", bound=Backbone)

# Parameters of the public models, as VLM4VLA's Table 9 has them in millions.
PUBLISHED = {
    "qwen2_5_vl": 3_754_622_976,
    "qwen3_vl": 2_127_532_032,
    "paligemma": 2_923_466_480,
    "paligemma2": 3_032_242_416,
    "kosmos2": 1_664_485_376,
}


def tiny_backbone(kind: type[Built], texts: Iterable[str], *, size: int = VOCABULARY) -> Built:
    """A backbone with a few thousand random weights (torch's generator) that knows the words of ``texts``."""
    prompt = kind.template.replace("{pictures}", " ").replace("{instruction}", " ")
    tokenizer = small_tokenizer([*texts, prompt], special=kind.special, begin=None, size=size)
    config = kind.tiny_config(len(tokenizer))
    backbone = kind(kind.kind()(config), tokenizer, replace(kind.colours, side=kind.tiny_side))
    lively(backbone.model)
    backbone.eval()
    return backbone


def published_model(kind: type[Backbone]) -> nn.Module:
    """The public model on the meta device: its parameters can be counted, and take no memory."""
    import torch

    with torch.device("meta"):
        model: nn.Module = kind.kind()(kind.published())
    return model
