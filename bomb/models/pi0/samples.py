"""Demonstrations as a model learns from them: what was seen before an action, and the chunk that followed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.demonstration import Demonstration
from bomb.demonstrations.pictures import Renderer
from bomb.machine.progress import progress
from core.errors import OptionError

SMALLEST_DEVIATION = 1e-2  # of a number that hardly changes, so that normalising does not blow up its noise


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """N moments of demonstrations.

    Attributes:
        pictures: uint8[N, cameras, H, W, 3].
        states: float32[N, 4].
        texts: N instructions.
        actions: float32[N, chunk, 4], from the moment's own action on.
        action_mode, control_hz: what the actions mean; see ``core.make_task``.
    """

    pictures: np.ndarray
    states: np.ndarray
    texts: list[str]
    actions: np.ndarray
    action_mode: str = "delta"
    control_hz: int = 20

    def __len__(self) -> int:
        return len(self.states)

    def statistics(self) -> dict[str, list[float]]:
        """Mean and standard deviation of states and actions, as ``PI0Processor`` takes them."""
        first = self.actions[:, 0]
        return {
            "state_mean": self.states.mean(0).tolist(),
            "state_std": np.maximum(self.states.std(0), SMALLEST_DEVIATION).tolist(),
            "actions_mean": first.mean(0).tolist(),
            "actions_std": np.maximum(first.std(0), SMALLEST_DEVIATION).tolist(),
        }


def make_samples(
    datasets: Sequence[Dataset],
    *,
    backends: Sequence[str],
    cameras: tuple[str, ...],
    image_size: tuple[int, int],
    chunk: int,
    limit: int | None = None,
) -> Samples:
    """Every moment of the demonstrations, drawn in every engine of ``backends``.

    Args:
        datasets: of ``bomb collect``, all of one action mode and control rate.
        backends: registered names of the engines that draw.
        cameras: what the model looks through.
        image_size: (height, width) in pixels.
        chunk: actions that follow each moment.
        limit: how many demonstrations of each dataset, the first by seed; None takes all.

    Raises:
        OptionError: if there is no demonstration, or the datasets differ in what their actions mean.
        FileError, RenderError: as reading and drawing demonstrations do.
    """
    common = {(d.settings["action_mode"], d.settings["control_hz"]) for d in datasets}
    if len(common) != 1:
        raise OptionError(f"datasets must be of one action mode and control rate, got {sorted(common)}")
    work = [(d, seed, backend) for backend in backends for d in datasets for seed in d.seeds()[:limit]]
    if not work:
        raise OptionError("there is no demonstration to learn from, or no engine to draw it")
    pictures, states, texts, actions = [], [], [], []
    renderer, drawing = None, None
    try:
        for dataset, seed, backend in progress(work, unit="demonstration", desc="draw"):
            if drawing != (dataset, backend):
                if renderer is not None:
                    renderer.close()
                renderer = Renderer(dataset.settings, backend=backend, cameras=cameras, image_size=image_size)
                drawing = (dataset, backend)
            demonstration = dataset.load(seed)
            for frame in renderer.frames(demonstration):
                pictures.append(np.stack([frame["images"][camera] for camera in cameras]))
                states.append(frame["state"])
                texts.append(frame["instruction"])
            actions.append(chunks(demonstration, chunk))
    finally:
        if renderer is not None:
            renderer.close()
    return Samples(
        pictures=np.stack(pictures),
        states=np.stack(states).astype(np.float32),
        texts=texts,
        actions=np.concatenate(actions),
        **dict(zip(("action_mode", "control_hz"), common.pop(), strict=True)),
    )


def chunks(demonstration: Demonstration, length: int) -> np.ndarray:
    """The next ``length`` actions of every moment, float32[T, length, 4].

    After the end nothing moves: deltas are zero, absolute positions and the gripper stay as they were.
    """
    still = demonstration.actions[-1:].copy()
    if demonstration.about["action_mode"] == "delta":
        still[:, :3] = 0.0
    padded = np.concatenate([demonstration.actions, np.repeat(still, length - 1, axis=0)])
    return np.stack([padded[t : t + length] for t in range(demonstration.length)])
