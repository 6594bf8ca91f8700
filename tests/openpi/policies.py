"""Policies that tests serve: asked for as ``tests.openpi.policies:NAME``."""

import threading
from pathlib import Path

import numpy as np

from bomb.policies.replay import Replay
from core.policy import BatchPolicy, Policy


class Rememberer(Policy):
    """Remembers: what it does depends on all it has been told and shown since the reset."""

    wants_step = True

    def __init__(self, chunk: int = 3):
        self._chunk = chunk

    def reset(self, instruction, seed):
        self._rng, self._sum, self._words = np.random.default_rng(seed), 0.0, len(instruction)

    def act(self, observation, *, step):
        self._sum += float(observation["state"].sum()) + step / 100
        for picture in observation.get("images", {}).values():
            self._sum += float(picture.mean()) / 255
        actions = self._rng.uniform(-1, 1, (self._chunk, 4))
        actions[:, 0] = np.sin(self._sum + self._words)
        actions[:, 3] = abs(actions[:, 3])
        return actions.astype(np.float32)

    def describe(self):
        return {"checkpoint": "none", "trained_on": [{"split": "train"}]}


class Looker(Rememberer):
    """Declares what it looks at."""

    cameras, image_size, modalities = ("front",), (24, 32), ("rgb", "depth")


class Batcher(BatchPolicy):
    """Noise from (seed, step), and a diary of how many requests came together."""

    sizes: list = []  # noqa: RUF012 -- the test's view into the server's thread
    go = threading.Event()
    busy = threading.Event()

    def infer(self, requests):
        self.sizes.append(len(requests))
        self.busy.set()
        assert self.go.wait(20)
        if any(request.step == 666 for request in requests):
            raise ValueError("a beastly step")
        return [
            np.random.default_rng([request.seed, request.step]).uniform(-1, 1, (2, 4)) for request in requests
        ]


class Diary(Replay):
    """Replays a file and writes into ``FILE.diary`` what it is told."""

    def reset(self, instruction, seed, **extras):
        super().reset(instruction, seed, **extras)
        self._write(f"reset {seed} {instruction} {extras['action_spec']}")

    def proceed(self, instruction):
        self._write(f"proceed {instruction}")

    def _write(self, line):
        with Path(f"{self._path}.diary").open("a") as file:
            file.write(line + "\n")


class Faulty(Policy):
    """Wrong in the way that it is asked to be, from ``step`` on."""

    wants_step = True

    def __init__(self, how: str, step: int = 4):
        self._how, self._step = how, step

    def reset(self, instruction, seed):
        pass

    def act(self, observation, *, step):
        action = np.zeros((1, 4))
        if step < self._step:
            return action
        if self._how == "nan":
            action[0, 2] = np.nan
            return action
        if self._how == "flat":
            return action[0]
        raise RuntimeError("the model is on fire")


class NeedsGoalPicture(Faulty):
    """Cannot be served."""

    wants_goal_picture = True
