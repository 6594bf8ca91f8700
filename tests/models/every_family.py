"""A policy that is every family at once: each episode is answered by the family whose turn it is."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bomb.models.policy import VLAPolicy
from core.policy import BatchPolicy, Request


class EveryFamily(BatchPolicy):
    """Of all checkpoints below ``folder``, in the order of their names; seeds take turns.

    Each answer is a line of ``asked``: the family that gave it.
    """

    def __init__(self, folder: str, asked: str):
        self._inside = [
            VLAPolicy(str(one), device="cpu", threads=1) for one in sorted(Path(folder).iterdir())
        ]
        self._turns: dict[int, VLAPolicy] = {}
        self._asked = Path(asked)
        self.cameras, self.image_size = self._inside[0].cameras, self._inside[0].image_size
        self.modalities = tuple(sorted({name for one in self._inside for name in one.modalities}))

    def infer(self, requests: Sequence[Request]) -> list[np.ndarray]:
        answers = []
        for request in requests:
            turn = len(self._turns) % len(self._inside)
            policy = self._turns.setdefault(request.seed, self._inside[turn])
            answers.append(policy.infer([request])[0])
            with self._asked.open("a") as file:
                file.write(f"{policy.describe()['family']}\n")
        return answers

    def describe(self) -> dict:
        return {"families": [one.describe()["family"] for one in self._inside]}
