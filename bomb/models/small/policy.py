"""``--policy small-vla``: one network from pictures and words to actions, with its memory between looks."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bomb.models.policy import HiddenWords, hidden
from bomb.models.requests import Request
from core.errors import ConventionError, OptionError, check_integer, missing_extra
from core.policy import Policy

if TYPE_CHECKING:
    from bomb.models.vla import VLA

SAID = ("stone", "goal", "errors", "holds", "released")  # of a decision, in x and y of R (m), to be shown
SHIPPED = Path(__file__).parent / "shipped"


class SmallVLAPolicy(Policy):
    """A checkpoint of the family ``small``; it needs torch.

    Args:
        checkpoint: folder of ``bomb train small-vla``; None takes the one that comes with BOMB.
        threads: of torch, in the whole process; None leaves it to torch.

    Raises:
        FileError: if it cannot be loaded.
        OptionError: if it is of a family that does not remember.
        BombError: if torch is not installed.
    """

    wants_step = True

    def __init__(self, checkpoint: str | None = None, *, threads: int | None = 1):
        try:
            import torch

            from bomb.models.checkpoint import Checkpoint
        except ImportError as error:
            raise missing_extra("small-vla", "vla") from error
        if threads is not None:
            torch.set_num_threads(check_integer("threads", threads, least=1))
        self._folder = SHIPPED if checkpoint is None else Path(checkpoint)
        self._hidden: HiddenWords | None = None
        self._memory: npt.NDArray[np.float32] | None
        self._vla: VLA | None = Checkpoint.load(self._folder, device="cpu").vla
        if not self.vla.recurrent:
            raise OptionError(f"{self._folder} does not remember; use vla(checkpoint=...)")
        settings = self.vla.settings
        self.cameras, self.image_size = settings.cameras, settings.image_size
        self.modalities = self.vla.modalities
        self._seed, self._memory = 0, None

    def reset(self, instruction: str, seed: int) -> None:
        self._seed, self._memory = seed, None
        self.said: dict[str, npt.NDArray[np.float32 | np.bool_]] = {}

    def proceed(self, instruction: str) -> None:
        """Continues with the next move; nothing is remembered of the last one."""
        self._memory = None

    def act(  # type: ignore[override]  # see wants_step
        self, observation: dict[str, Any], *, step: int
    ) -> npt.NDArray[np.float32]:
        """The next actions, float32[k, 4]: as many of the chunk as are carried out before the next look.

        Raises:
            ConventionError: if a picture is missing, or of another size.
            PolicyOutputError: if the model's numbers are not finite.
        """
        import torch

        question = Request.from_observation(observation, memory=self._memory)
        batch = self.vla.encode([question])
        if self._hidden is not None:
            batch = hidden(batch, [question], self._hidden)
        with torch.inference_mode():
            decided = self.vla.decide(batch, seeds=[(self._seed, step)])
        self._memory = decided.raw["memory"][0].numpy()
        self.said = {name: decided.raw[name][0].numpy() for name in SAID}
        return decided.actions[0, : int(decided.raw["execute"][0])]

    def hide_words(self, find: HiddenWords) -> None:
        """As ``VLAPolicy.hide_words``."""
        self._hidden = find

    @property
    def vla(self) -> "VLA":
        """The model, for explanations.

        Raises:
            ConventionError: once the policy is closed.
        """
        if self._vla is None:
            raise ConventionError("the policy is closed")
        return self._vla

    @property
    def remembered(self) -> npt.NDArray[np.float32] | None:
        """What the next question is told of the last look, float32[m]; None before the first."""
        return self._memory

    def describe(self) -> dict[str, Any]:
        """The checkpoint: its size, what its actions mean, what it was trained on."""
        vla, settings = self.vla, self.vla.settings
        return {
            "checkpoint": self._folder.name, "family": settings.family, "parameters": vla.count(),
            "memory_mb": vla.memory_mb(), "trained_on": settings.trained_on,
            "action_mode": settings.convention.action_mode, "control_hz": settings.control_hz,
            "chunk": settings.chunk, "options": settings.options,
        }  # fmt: skip

    def close(self) -> None:
        """Frees the model's memory. A second call does nothing."""
        self._vla = None
