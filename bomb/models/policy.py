"""Any VLA as a policy: ``--policy "vla(checkpoint='DIR')"``."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from bomb.models.requests import Request as Question
from core.errors import ConventionError, OptionError, check_choice, check_integer, missing_extra
from core.policy import BatchPolicy, Policy, Request
from core.rendering.sight import DECLARED

if TYPE_CHECKING:
    from bomb.models.batches import Batch
    from bomb.models.vla import VLA

HiddenWords = Callable[[str], Sequence[tuple[int, int]]]  # instruction to [start, end) that is not to be read
DTYPES = ("float32", "bfloat16", "float16")


def hidden(batch: "Batch", questions: Sequence[Question], find: HiddenWords) -> "Batch":
    """A batch of questions whose found words no position looks at; all positions stay where they are."""
    import torch

    positions = torch.zeros_like(batch.attention_mask)
    for row, question in enumerate(questions):
        for start, end in find(question.instruction):
            places = torch.from_numpy(batch.layouts[row].words(start, end))
            positions[row, places.to(positions.device)] = True
    return batch.hide(positions)


class VLAPolicy(BatchPolicy):
    """A checkpoint that looks at pictures and makes chunks of actions, for many episodes at once.

    Args:
        checkpoint: folder; see ``bomb.models.checkpoint``.
        device: torch's name; ``auto`` takes a GPU where there is one.
        dtype: of the weights, out of ``DTYPES``; None takes them as they are stored.
        batch: questions that go through the model at once, at most.
        threads: of torch, in the whole process; None leaves it to torch. A small model on a CPU that it
            shares with simulators is fastest with one.

    Raises:
        OptionError: for a number that is none, and for a model that looks at more than one moment.
        FileError: if the checkpoint cannot be loaded.
        BombError: if torch or transformers are not installed.
    """

    remembers: ClassVar[bool] = False

    def __init__(
        self,
        checkpoint: str,
        *,
        device: str = "auto",
        dtype: str | None = None,
        batch: int = 16,
        threads: int | None = None,
    ):
        for name, value in (("batch", batch), ("threads", threads)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise OptionError(f"{name} must be a positive integer, got {value!r}")
        if dtype is not None:
            check_choice("dtype", dtype, DTYPES)
        try:
            import torch

            from bomb.models.checkpoint import Checkpoint
        except ImportError as error:
            raise missing_extra("a VLA", "vla") from error
        if threads is not None:
            torch.set_num_threads(check_integer("threads", threads, least=1))
        self._folder, self._batch = str(checkpoint), batch
        self._hidden: HiddenWords | None = None
        self._vla: VLA | None = Checkpoint.load(checkpoint, device=device, dtype=dtype).vla
        settings = self.vla.settings
        self.cameras, self.image_size = settings.cameras, settings.image_size
        self.modalities = self.vla.modalities
        if settings.history > 1 and not self.remembers:
            raise OptionError(
                f"{checkpoint} looks at {settings.history} moments, and a policy that answers for "
                "many episodes at once remembers none of them; use vla_history(checkpoint=...)"
            )

        if self.vla.recurrent:
            raise OptionError(
                f"{checkpoint} remembers what it saw, so every episode needs a policy of its own; "
                f"use small-vla(checkpoint={str(checkpoint)!r})"
            )

    def infer(self, requests: Sequence[Request]) -> list[npt.NDArray[np.float32]]:
        """One chunk, float32[chunk, 4], per request.

        Raises:
            ConventionError: if an observation lacks a camera, its pictures have another size, or the policy
                is closed.
            PolicyOutputError: if the model's numbers are not finite, or not what ``bomb.json`` says.
        """
        questions = [Question.from_observation(one.observation) for one in requests]
        return self.answer(questions, [(one.seed, one.step) for one in requests])

    def answer(
        self, questions: Sequence[Question], seeds: Sequence[tuple[int, int]]
    ) -> list[npt.NDArray[np.float32]]:
        """One chunk, float32[chunk, 4], per question, with noise from its (seed, step)."""
        import torch

        chunks: list[npt.NDArray[np.float32]] = []
        for first in range(0, len(questions), self._batch):
            part = slice(first, first + self._batch)
            with torch.inference_mode():
                actions = self.vla.act(self._encoded(questions[part]), seeds=seeds[part])
            chunks += [chunk[0] for chunk in actions]
        return chunks

    def hide_words(self, find: HiddenWords) -> None:
        """From now on no position looks at the tokens of these words; all positions stay where they are.

        Args:
            find: which characters of an instruction are hidden.
        """
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

    def _encoded(self, questions: Sequence[Question]) -> "Batch":
        batch = self.vla.encode(questions)
        return batch if self._hidden is None else hidden(batch, questions, self._hidden)

    def describe(self) -> dict[str, Any]:
        """The checkpoint: its size, what its actions mean, what it was trained on."""
        vla, settings = self.vla, self.vla.settings
        return {
            "checkpoint": self._folder,
            "family": settings.family,
            "parameters": vla.count(),
            "memory_mb": vla.memory_mb(),
            "trained_on": settings.trained_on,
            "training": settings.training,
            "action_mode": settings.convention.action_mode,
            "control_hz": settings.control_hz,
            "rotation": settings.convention.rotation,
            "gripper": settings.convention.gripper,
            "delta_scale": settings.convention.delta_scale,
            "chunk": settings.chunk,
            "options": settings.options,
            "device": str(vla.device),
            "dtype": str(vla.dtype),
        }

    def close(self) -> None:
        """Frees the model's memory. A second call does nothing."""
        self._vla = None


class VLAHistoryPolicy(Policy):
    """A checkpoint that looks at several moments of an episode: those at which it was asked.

    RoboVLMs learn from moments that follow one another, so ``--chunks first`` shows them what they know.

    Args:
        checkpoint, options: as ``VLAPolicy`` takes them.
    """

    wants_step = True

    def __init__(self, checkpoint: str, **options: Any):
        self._inside = _Remembering(checkpoint, **options)
        self._seen: deque[Mapping[str, Any]] = deque(maxlen=self._inside.history)
        for name in DECLARED:
            setattr(self, name, getattr(self._inside, name))

    def reset(self, instruction: str, seed: int) -> None:
        self._seen.clear()
        self._seed = seed

    def act(  # type: ignore[override]  # see wants_step
        self, observation: dict[str, Any], *, step: int
    ) -> npt.NDArray[np.float32]:
        """One chunk, float32[chunk, 4].

        Raises:
            ConventionError, PolicyOutputError: as ``VLAPolicy.infer``.
        """
        self._seen.append(observation)
        *earlier, now = self._seen
        question = Question.from_observation(now, earlier)
        return self._inside.answer([question], [(self._seed, step)])[0]

    def hide_words(self, find: HiddenWords) -> None:
        """As ``VLAPolicy.hide_words``, in every moment that is looked at."""
        self._inside.hide_words(find)

    @property
    def vla(self) -> "VLA":
        """The model, for explanations."""
        return self._inside.vla

    def describe(self) -> dict[str, Any]:
        """As ``VLAPolicy.describe``, and ``history``, moments that it looks at."""
        return {**self._inside.describe(), "history": self._inside.history}

    def close(self) -> None:
        """Frees the model's memory. A second call does nothing."""
        self._inside.close()


class _Remembering(VLAPolicy):
    remembers: ClassVar[bool] = True

    @property
    def history(self) -> int:
        return self.vla.settings.history
