"""What the tests of explanations share: questions, and tiny models made once."""

from functools import lru_cache

import numpy as np
import pytest
import torch

from bomb.explanation.asking import Question
from bomb.models.testing import tiny, toy_requests
from bomb.models.vla import VLA

torch.set_num_threads(1)

TEXT = "Put the black stone on row 1, column 2."


@lru_cache
def model(family: str, history: int = 1, **options: object) -> VLA:
    changes = {"options": dict(options)} if options else {}
    return tiny(family, **({"history": history} if history > 1 else {}), **changes)


def question_of(vla: VLA, seed: int = 0) -> Question:
    request = toy_requests(vla.settings, 1, seed)[0]

    def seen(one) -> dict:
        return {"images": dict(one.pictures), "instruction": one.instruction, "state": one.state}

    return Question(
        observation=seen(request), seed=7, step=0, history=tuple(seen(one) for one in request.history)
    )


@pytest.fixture
def noisy_picture() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)
