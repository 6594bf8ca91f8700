"""``bomb models efficiency``: what a model costs: parameters, memory, decisions and actions a second."""

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from bomb.models.testing.questions import toy_requests
from bomb.models.vla import VLA


@dataclass(frozen=True, kw_only=True)
class Efficiency:
    """Measured costs.

    Attributes:
        family: of the model.
        parameters: how many.
        memory_mb: that the weights take.
        peak_mb: of a GPU while deciding; None on a CPU.
        batch: questions at once.
        decisions: that were timed.
        latency_ms: median time of one pass, and its 5th and 95th percentile.
        decisions_hz: answers a second, all of a batch counted.
        actions_hz: the same times the chunk.
        device, dtype: where and in what it was measured.
    """

    family: str
    parameters: int
    memory_mb: float
    peak_mb: float | None
    batch: int
    decisions: int
    latency_ms: tuple[float, float, float]
    decisions_hz: float
    actions_hz: float
    device: str
    dtype: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def measure(vla: VLA, *, batch: int = 1, repeats: int = 20, warm: int = 2) -> Efficiency:
    """Times whole decisions, from pictures in memory to actions in BOMB's terms.

    Args:
        vla: on its device.
        batch: questions at once.
        repeats: passes that are timed.
        warm: passes before these.
    """
    requests = toy_requests(vla.settings, batch)
    cuda = vla.device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(vla.device)
    times = []
    with torch.inference_mode():
        for k in range(warm + repeats):
            begin = time.perf_counter()
            vla.act(vla.encode(requests), seeds=[(n, k) for n in range(batch)])
            if cuda:
                torch.cuda.synchronize(vla.device)
            if k >= warm:
                times.append(time.perf_counter() - begin)
    middle, low, high = np.percentile(times, [50, 5, 95])
    return Efficiency(
        family=vla.settings.family,
        parameters=vla.count(),
        memory_mb=vla.memory_mb(),
        peak_mb=round(torch.cuda.max_memory_allocated(vla.device) / 1e6, 1) if cuda else None,
        batch=batch,
        decisions=repeats * batch,
        latency_ms=(_milliseconds(middle), _milliseconds(low), _milliseconds(high)),
        decisions_hz=round(batch / float(middle), 3),
        actions_hz=round(batch * vla.settings.chunk / float(middle), 3),
        device=torch.cuda.get_device_name(vla.device) if cuda else str(vla.device),
        dtype=str(vla.dtype).removeprefix("torch."),
    )


def _milliseconds(seconds: float) -> float:
    return round(1000 * float(seconds), 3)
