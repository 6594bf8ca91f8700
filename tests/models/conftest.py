"""What the tests of models share: reference values, tiny models, one thread of torch."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

REFERENCE = Path(__file__).parent / "reference"

torch.set_num_threads(1)


class References:
    """Numbers that the public implementations made at toy size; see reference/README.md."""

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        with np.load(REFERENCE / f"{name}.npz", allow_pickle=False) as file:
            return {key: file[key] for key in file.files}

    def json(self, name: str) -> dict:
        return json.loads((REFERENCE / f"{name}.json").read_text())

    def weights(self, name: str) -> Path:
        return REFERENCE / f"{name}.safetensors"


@pytest.fixture(scope="session")
def reference() -> References:
    return References()


def close(one, other, atol: float, rtol: float = 1e-5) -> None:
    """Equal to within a tolerance, tensors or arrays."""
    first, second = (
        np.asarray(value.detach().cpu() if isinstance(value, torch.Tensor) else value)
        for value in (one, other)
    )
    assert first.shape == second.shape
    np.testing.assert_allclose(first.astype(np.float64), second.astype(np.float64), atol=atol, rtol=rtol)
