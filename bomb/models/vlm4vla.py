"""VLM4VLA: any VLM, a learned action query after the prompt, and an MLP on the query's hidden state.

The state is not read, and every moment is answered by itself. Words of the prompt are the backbone's.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor

from bomb.models.continuous import ContinuousVLA
from bomb.models.heads.outputs import Outputs
from bomb.models.requests import Request
from bomb.models.vla import Batch
from core.errors import OptionError


class OneStep(ContinuousVLA):
    """A chunk from the present moment alone."""

    def make_head(self, width: int) -> Outputs:
        if self.settings.history != 1:
            raise OptionError(f"{self.family} looks at one moment, bomb.json says {self.settings.history}")
        return self.plain_head(width)

    def arrange(self, requests: Sequence[Request], length: int | None) -> dict[str, Any]:
        return self.chain(requests, length)

    def features(self, batch: Batch, vectors: Tensor) -> Tensor:
        hidden = self.backbone(batch, vectors.flatten(1, 2))
        return self.network.head.trunk(hidden[:, -self.options.queries :].flatten(1))[:, None]


class VLM4VLA(OneStep):
    """The family of the paper."""

    family: ClassVar[str] = "vlm4vla"
