"""The layout of openpi's LIBERO examples and checkpoints."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bomb.integrations.openpi.mapping import PROMPT, TwoWayMapping
from bomb.rollouts.states import in_layout
from core.control.actions import ActionSpec
from core.world.scene import RobotSpec


class LiberoMapping(TwoWayMapping):
    """The layout of openpi's LIBERO examples; the hand of BOMB always points down, so rotations are dropped.

    Args:
        delta_scale: what an xyz of 1 is in BOMB's delta actions, whose 1 is 0.4 m/s: 1 for a model trained on
            BOMB in this layout, 2.5 for one that means 50 mm in a period of 20 Hz, as robosuite's OSC_POSE
            controller (``output_max`` 0.05 m) is told by LIBERO's models.
    """

    name = "libero"
    pictures: ClassVar = {"head": "observation/image", "wrist": "observation/wrist_image"}
    size = (224, 224)
    action_dim = 7
    mode = "delta"
    scales = True
    state = (
        "observation/state float32[8]: x, y, z of the tool centre point in R (m), axis-angle of T in R "
        "(pi, 0, 0: pointing down), finger positions q, -q (m)"
    )
    action = (
        "dx, dy, dz (1 is delta_scale of BOMB's), three rotations (dropped), gripper -1 open to +1 closed"
    )

    def __init__(self, delta_scale: float = 1.0):
        self._scale = delta_scale

    def describe(self) -> dict[str, Any]:
        """As of every mapping, and ``delta_scale``."""
        return {**super().describe(), "delta_scale": self._scale}

    def request(self, observation: dict[str, Any]) -> dict[str, Any]:
        return {
            **self._pictures(observation),
            "observation/state": in_layout("axis_angle", observation["state"]),
            PROMPT: observation["instruction"],
        }

    def actions(
        self, actions: npt.NDArray[Any], observation: dict[str, Any], spec: ActionSpec
    ) -> npt.NDArray[np.float32]:
        opening = (1.0 - actions[:, 6:7].clip(-1.0, 1.0)) / 2.0
        return np.concatenate([actions[:, :3] * self._scale, opening], axis=1).astype(np.float32)

    def observation(self, request: dict[str, Any]) -> dict[str, Any]:
        *pictures, state, prompt = self._needed(request, *self.pictures.values(), "observation/state", PROMPT)
        state = self._state(state, 8)
        seen = np.array([*state[:3], state[6] / RobotSpec.max_finger_position], dtype=np.float32)
        images = {
            camera: np.asarray(picture) for camera, picture in zip(self.pictures, pictures, strict=True)
        }
        return {"images": images, "state": seen, "instruction": prompt}

    def reply(self, actions: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        still = np.zeros((len(actions), 3))
        closed = 1.0 - 2.0 * np.asarray(actions)[:, 3:4]
        return np.concatenate([np.asarray(actions)[:, :3] / self._scale, still, closed], axis=1).astype(
            np.float32
        )
