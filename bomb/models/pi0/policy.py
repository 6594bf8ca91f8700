"""pi0 as a policy: ``--policy "pi0(checkpoint='DIR')"``."""

from collections.abc import Sequence

import numpy as np

from bomb.models.pi0.checkpoint import Checkpoint
from core.errors import Number, check_integer
from core.policy import BatchPolicy, Request


class Pi0Policy(BatchPolicy):
    """A pi0 checkpoint that looks at pictures and makes chunks of actions, for many episodes at once.

    The noise that flow matching begins with is drawn from (seed, step) alone.

    Args:
        checkpoint: folder; see ``bomb.models.pi0``.
        device: torch's name; ``auto`` takes a GPU where there is one.
        denoising_steps: of flow matching; None takes the checkpoint's.
        threads: of torch, in the whole process; None leaves it to torch. A small model on a CPU that it
            shares with simulators is fastest with one.

    Raises:
        OptionError: for a number that is none.
        FileError: if the checkpoint cannot be loaded.
        BombError: if torch or transformers are not installed.
    """

    def __init__(
        self,
        checkpoint: str,
        *,
        device: str = "auto",
        denoising_steps: int | None = None,
        threads: int | None = None,
    ):
        for name, value in (("denoising_steps", denoising_steps), ("threads", threads)):
            Number(least=1, optional=True).check(name, value)
        self._folder, self._steps = str(checkpoint), denoising_steps
        self._checkpoint: Checkpoint | None = Checkpoint.load(checkpoint, device=device)
        self.cameras, self.modalities = self._checkpoint.settings.cameras, ("rgb",)
        self.image_size = self._checkpoint.settings.image_size
        if threads is not None:
            import torch

            torch.set_num_threads(check_integer("threads", threads, least=1))

    def infer(self, requests: Sequence[Request]) -> list[np.ndarray]:
        """One chunk, float32[chunk, 4], per request.

        Raises:
            ConventionError: if an observation lacks a camera, or its pictures have another size.
            PolicyOutputError: if the model's numbers are not finite, or not what ``bomb.json`` says.
        """
        import torch

        checkpoint = self._checkpoint
        inputs = checkpoint.inputs(
            [checkpoint.look(request.observation) for request in requests],
            [request.observation["instruction"] for request in requests],
            np.stack([request.observation["state"] for request in requests]),
        )
        drawn = [noise(request.seed, request.step, checkpoint.noise_shape) for request in requests]
        started = torch.from_numpy(np.stack(drawn)).to(checkpoint.device, checkpoint.model.dtype)
        with torch.inference_mode():
            chunks = checkpoint.model.sample_actions(**inputs, noise=started, num_steps=self._steps)
        return [checkpoint.settings.convention.to_bomb(actions) for actions in checkpoint.actions(chunks)]

    def describe(self) -> dict:
        """The checkpoint: its size, what its actions mean, what it was trained on."""
        checkpoint = self._checkpoint
        settings, config = checkpoint.settings, checkpoint.model.config
        return {
            "checkpoint": self._folder,
            "parameters": checkpoint.parameters(),
            "memory_mb": checkpoint.memory_mb(),
            "trained_on": settings.trained_on,
            "training": settings.training,
            "action_mode": settings.convention.action_mode,
            "control_hz": settings.control_hz,
            "rotation": settings.convention.rotation,
            "gripper": settings.convention.gripper,
            "delta_scale": settings.convention.delta_scale,
            "chunk": checkpoint.chunk,
            "denoising_steps": self._steps or config.num_inference_steps,
            "device": str(checkpoint.device),
            "dtype": str(checkpoint.model.dtype),
        }

    def close(self) -> None:
        """Frees the model's memory. A second call does nothing."""
        self._checkpoint = None


def noise(seed: int, step: int, shape: tuple[int, int]) -> np.ndarray:
    """Standard normal numbers, float32, that depend on nothing but the episode's seed and the step."""
    return np.random.default_rng([seed, step]).standard_normal(shape, dtype=np.float32)
