"""BOMB's own layout: what the policy gets is what it would get in this process."""

from typing import Any

import numpy as np
import numpy.typing as npt

from bomb.integrations.openpi.mapping import PROMPT, TwoWayMapping
from core.control.actions import ActionSpec
from core.rendering.observation import MODALITY_KEYS


class BombMapping(TwoWayMapping):
    """Everything as it is: a policy behind a server gets what it would get in this process, to the bit."""

    name = "bomb"
    action_dim = 4
    state = "observation/state float32[4]: x, y, z of the tool centre point in R (m), gripper opening 0..1"
    action = "x, y, z, gripper opening 0..1, in the action mode of the environment"

    def request(self, observation: dict[str, Any]) -> dict[str, Any]:
        pictures = {
            f"observation/{key}/{camera}": picture
            for key in MODALITY_KEYS.values()
            for camera, picture in observation.get(key, {}).items()
        }
        return {
            **pictures,
            "observation/state": observation["state"],
            PROMPT: observation["instruction"],
        }

    def actions(
        self, actions: npt.NDArray[Any], observation: dict[str, Any], spec: ActionSpec
    ) -> npt.NDArray[np.float32]:
        return actions.astype(np.float32)

    def observation(self, request: dict[str, Any]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key in MODALITY_KEYS.values():
            prefix = f"observation/{key}/"
            pictures = {
                name.removeprefix(prefix): request[name] for name in request if name.startswith(prefix)
            }
            if pictures:
                seen[key] = pictures
        state, prompt = self._needed(request, "observation/state", PROMPT)
        return {**seen, "state": self._state(state, 4).astype(np.float32), "instruction": prompt}

    def reply(self, actions: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(actions, dtype=np.float32)
