"""The few layers of ``keypoint`` in numpy, on channels first."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Float = TypeVar("Float", bound=np.floating)  # what comes in comes out


def convolved(
    x: npt.NDArray[np.float32],
    weight: npt.NDArray[np.float32],
    bias: npt.NDArray[np.float32],
    stride: int = 1,
) -> npt.NDArray[np.float32]:
    """A convolution with as much padding as keeps the size, float32[out, H / stride, W / stride].

    Args:
        x: float32[in, H, W].
        weight: float32[out, in, k, k], k 1 or 3.
        bias: float32[out].
        stride: 1 or 2.
    """
    outside, inside, size, _ = weight.shape
    _, height, width = x.shape
    if size == 1:
        return (weight.reshape(outside, inside) @ x.reshape(inside, -1) + bias[:, None]).reshape(
            outside, height, width
        )
    padded = np.zeros((inside, height + 2, width + 2), dtype=np.float32)
    padded[:, 1:-1, 1:-1] = x
    rows, columns = height // stride, width // stride
    patches = np.empty((inside, 9, rows, columns), dtype=np.float32)
    for k in range(9):
        v, u = divmod(k, 3)
        patches[:, k] = padded[:, v : v + height : stride, u : u + width : stride]
    made = weight.reshape(outside, inside * 9) @ patches.reshape(inside * 9, -1) + bias[:, None]
    return made.reshape(outside, rows, columns)


def rectified(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """ReLU, in place."""
    return np.maximum(x, 0.0, out=x)


def unshuffled(x: npt.NDArray[np.float32], factor: int) -> npt.NDArray[np.float32]:
    """float32[C factor^2, H / factor, W / factor] of float32[C, H, W], in torch's order of channels."""
    channels, height, width = x.shape
    cells = x.reshape(channels, height // factor, factor, width // factor, factor)
    return cells.transpose(0, 2, 4, 1, 3).reshape(channels * factor**2, height // factor, width // factor)


def doubled(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Every cell twice along both sides."""
    return x.repeat(2, axis=1).repeat(2, axis=2)


def softmax(x: npt.NDArray[Float], axis: int = -1) -> npt.NDArray[Float]:
    """Shares that sum up to 1."""
    grown: npt.NDArray[Float] = np.exp(x - x.max(axis=axis, keepdims=True))
    shares: npt.NDArray[Float] = grown / grown.sum(axis=axis, keepdims=True)
    return shares


def sigmoid(x: npt.NDArray[Float]) -> npt.NDArray[Float]:
    """1 / (1 + exp(-x)), without overflow."""
    risen: npt.NDArray[Float] = 0.5 * (1.0 + np.tanh(0.5 * x))
    return risen


def linear(
    x: npt.NDArray[np.float32], weight: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """float32[..., out] of float32[..., in]."""
    return x @ weight.T + bias
