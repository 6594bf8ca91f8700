"""A policy that is every family at once: each episode is answered by the family whose turn its seed is."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bomb.models.policy import VLAPolicy
from core.policy import BatchPolicy, Request


class EveryFamily(BatchPolicy):
    """Of all checkpoints below ``folder``, in the order of their names.

    The answers are as many as questions, and nothing is said of one whose model was not asked.
    """

    def __init__(self, folder: str):
        self._inside = [
            VLAPolicy(str(one), device="cpu", threads=1) for one in sorted(Path(folder).iterdir())
        ]
        self.cameras, self.image_size = self._inside[0].cameras, self._inside[0].image_size
        self.modalities = tuple(sorted({name for one in self._inside for name in one.modalities}))

    def infer(self, requests: Sequence[Request]) -> list[np.ndarray]:
        return [self._inside[request.seed % len(self._inside)].infer([request])[0] for request in requests]

    def describe(self) -> dict:
        return {"families": [one.describe()["family"] for one in self._inside]}
