"""pi0.5 (Black et al. 2025, arXiv:2504.16054): pi0 that reads its state as words.

The time of the flow enters the expert's norms instead of its tokens; actions alone are flowing tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from bomb.models.codecs.fast import state_bins
from bomb.models.memory import Memory
from bomb.models.pi0.family import Pi0, Pi0Options
from bomb.models.pi0.names import ours
from bomb.models.requests import Request
from bomb.models.sequences import Learned, Patches
from bomb.models.vla import Batch
from bomb.models.words import Tokens
from core.errors import check_flag

PROMPT = "Task: {instruction}, State: {state};\nAction: "


@dataclass(frozen=True, kw_only=True)
class Pi05Options(Pi0Options):
    """Options of ``bomb.json``.

    Attributes:
        state: whether the state is read, as words; the public LIBERO checkpoint does not.
    """

    state: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag("state", self.state)


class Pi05(Pi0):
    """Flow matching by an expert with adaptive norms."""

    family: ClassVar[str] = "pi05"
    options_kind: ClassVar[type[Pi0Options]] = Pi05Options
    published: ClassVar[Mapping[str, int]] = {}
    words: ClassVar[tuple[str, ...]] = (PROMPT.format(instruction="", state=""), "-")
    state_tokens: ClassVar[int] = 0
    options: Pi05Options

    @classmethod
    def make_network(cls, config: Any) -> Any:
        from bomb.models.pi0.expert import Pi05Network

        return Pi05Network(config)

    @classmethod
    def named(cls, key: str) -> str:
        return ours(key, embedded=False)

    def question(self, request: Request, state: npt.NDArray[np.float64]) -> list[Tokens | Patches | Learned]:
        if not self.options.state:
            return super().question(request, state)
        prefix = self.prefix
        told = PROMPT.replace("{state}", " ".join(map(str, state_bins(state))))
        prefix.template = "{pictures}<bos>" + told
        return prefix.prompt(request.instruction.strip(), self.settings.cameras)

    def expert(
        self, batch: Batch, noisy: Tensor, times: Tensor, mask: Tensor, places: Tensor, memory: Memory
    ) -> Tensor:
        network = self.network
        return network.model.dit(
            network.action_in_proj(noisy), mask, places, memory, network.condition(times)
        )

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        head = ("network.action_in_proj.", "network.time_mlp_", "network.action_out_proj.")
        return {**super().parts, "head": head}
