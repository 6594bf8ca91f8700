"""Model servers of vla-eval for the tests: ``servers.py KIND [FILE]`` prints its address and serves."""

import json
import os
import sys
import time

import numpy as np
from vla_eval.api import serve_background
from vla_eval.model_servers.base import ModelServer
from vla_eval.specs import (
    GRIPPER_01,
    GRIPPER_CLOSE_POS,
    IMAGE_RGB,
    LANGUAGE,
    POSITION_DELTA,
    RAW,
    ROTATION_AA,
    STATE_EEF_POS_AA_GRIP,
)


class Recorded(ModelServer):
    """Plays what the expert did in the episode of the same policy seed: four numbers."""

    def __init__(self, file: str):
        with np.load(file) as archive:
            self._heard = f"{file}.heard"  # everything that was said about episodes
            self._recorded = {int(seed): archive[seed] for seed in archive.files}

    async def on_episode_start(self, config, ctx):
        task = config["task"]
        self._actions = self._recorded[task["seed"]]
        self._write("start", config)

    async def on_episode_end(self, result, ctx):
        self._write("end", result)

    def _write(self, what, got):
        with open(self._heard, "a") as file:
            file.write(json.dumps([what, got], default=str) + "\n")

    async def on_observation(self, obs, ctx):
        self.check(obs)
        at = min(ctx.step, len(self._actions) - 1)
        await ctx.send_action({"actions": self.encode(self._actions[at])})

    def check(self, obs):
        if " stone" not in obs["task_description"]:
            raise ValueError(obs["task_description"])
        if np.shape(obs["states"]) != (4,):
            raise ValueError(f"states of shape {np.shape(obs['states'])}")

    def encode(self, action):
        return action

    def get_action_spec(self):
        return {"position": POSITION_DELTA, "gripper": GRIPPER_01}

    def get_observation_spec(self):
        return {"language": LANGUAGE, "state": RAW}


class Libero(Recorded):
    """The same as a model of the LIBERO family says it: seven numbers, the gripper closes when positive."""

    def check(self, obs):
        if list(obs["images"]) != ["agentview", "wrist"] or np.shape(obs["states"]) != (8,):
            raise ValueError(f"{list(obs['images'])}, states of shape {np.shape(obs['states'])}")
        for picture in obs["images"].values():
            if picture.dtype != np.uint8 or picture.shape != (32, 32, 3) or picture.std() < 5:
                raise ValueError(f"a picture of {picture.dtype}{picture.shape}")

    def encode(self, action):
        closes = 1.0 if action[3] < 0.5 else -1.0
        return np.array([*action[:3], 0.2, -0.1, 0.4, closes], dtype=np.float32)

    def get_action_spec(self):
        return {"position": POSITION_DELTA, "rotation": ROTATION_AA, "gripper": GRIPPER_CLOSE_POS}

    def get_observation_spec(self):
        return {"image": IMAGE_RGB, "wrist": IMAGE_RGB, "language": LANGUAGE, "state": STATE_EEF_POS_AA_GRIP}

    def get_observation_params(self):
        return {"send_wrist_image": True, "send_state": True}


class Random(ModelServer):
    """Uniform actions; declares nothing, as many servers do."""

    async def on_episode_start(self, config, ctx):
        self._rng = np.random.default_rng(0)

    async def on_observation(self, obs, ctx):
        await ctx.send_action({"actions": self._rng.uniform([-1, -1, -1, 0], 1)})


class Undeclared(Random):
    """Seven numbers that were not announced."""

    async def on_observation(self, obs, ctx):
        await ctx.send_action({"actions": np.zeros(7, dtype=np.float32)})


class Chunks(Random):
    """Five actions at a time, kept by nobody."""

    async def on_observation(self, obs, ctx):
        await ctx.send_action({"actions": np.tile(np.array([0, 0, -0.2, 1], np.float32), (5, 1))})


class Wrist(Random):
    """Asks for a picture that nobody offers."""

    def get_action_spec(self):
        return {"actions": RAW}

    def get_observation_spec(self):
        return {"wrist": IMAGE_RGB}


class Failing(Random):
    """Fails at the third observation of its first episode."""

    _failed = False

    async def on_observation(self, obs, ctx):
        if ctx.step == 2 and not self._failed:
            self._failed = True
            raise RuntimeError("out of memory")
        await super().on_observation(obs, ctx)


class Slow(Random):
    """Takes two seconds over the first answer of its first episode."""

    _slept = False

    async def on_observation(self, obs, ctx):
        if not self._slept:
            self._slept = True
            time.sleep(2)
        await super().on_observation(obs, ctx)


class Dying(Random):
    """Its process ends at the third observation."""

    async def on_observation(self, obs, ctx):
        if ctx.step == 2:
            os._exit(3)
        await super().on_observation(obs, ctx)


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    with serve_background(globals()[kind](*arguments)) as handle:
        print(handle.url, flush=True)
        sys.stdin.read()  # until whoever started it hangs up
