"""Policies that misbehave in a known way, by name for workers in other processes."""

import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from core.policy import BatchPolicy, Policy
from core.seeding import policy_seed

HOLD = np.array([[0, 0, 0, 1]], dtype=np.float32)
FAULTY_STEP = 2
HERE = "tests.evaluation.policies"
# Scenes in which something happens, by the seed that a policy gets there.
SCENES = {policy_seed("ci", seed): seed for seed in (*range(6), 99)}


class Faulty(Policy):
    """Does at step 2 what the scene says: 1 raises, 2 returns NaN, 3 a bare action, 4 hangs, 5 dies; 0 holds.

    With a folder, only the first time that it comes to a seed.
    """

    wants_step = True

    def __init__(self, folder: str | None = None):
        self._folder = None if folder is None else Path(folder)

    def reset(self, instruction: str, seed: int) -> None:
        self._fault = SCENES.get(seed, 0)
        if self._folder is not None:
            mark = self._folder / str(seed)
            self._fault = 0 if mark.exists() else self._fault
            mark.touch()

    def act(self, observation: dict, *, step: int) -> np.ndarray:
        if step != FAULTY_STEP:
            return HOLD
        if self._fault == 1:
            raise RuntimeError("clumsy")
        if self._fault == 2:
            return np.array([[0, np.nan, 0, 1]])
        if self._fault == 3:
            return np.zeros(4)
        if self._fault == 4:
            time.sleep(1000)
        if self._fault == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return HOLD


class Slow(Policy):
    """Holds, and takes its time."""

    def __init__(self, seconds: float = 0.01):
        self._seconds = seconds

    def reset(self, instruction: str, seed: int) -> None:
        pass

    def act(self, observation: dict) -> np.ndarray:
        time.sleep(self._seconds)
        return HOLD


class Batched(BatchPolicy):
    """Noise drawn from (seed, step), in chunks of four; writes down who it is and how large batches were.

    Refuses scene 99; with ``hang``, never answers for scene 4 in the first process that is asked.
    """

    def __init__(self, folder: str, seconds: float = 0.0, hang: bool = False):
        self._folder, self._seconds, self._hang = Path(folder), seconds, hang
        (self._folder / "pid").write_text(str(os.getpid()))

    def describe(self) -> dict:
        meaning = {"action_mode": "delta", "control_hz": 20}
        return {"parameters": 7, "trained_on": [{"split": "train"}], **meaning}

    def infer(self, requests) -> list[np.ndarray]:
        with open(self._folder / "batches", "a") as file:
            file.write(f"{len(requests)}\n")
        if any(SCENES.get(request.seed) == 99 for request in requests):
            raise ValueError("unlucky")
        if self._hang and any(SCENES.get(request.seed) == 4 for request in requests):
            mark = self._folder / "hung"
            if not mark.exists():
                mark.touch()
                time.sleep(1000)
        time.sleep(self._seconds)
        return [
            np.random.default_rng([request.seed, request.step]).uniform(-1, 1, (4, 4)).astype(np.float32)
            for request in requests
        ]

    def infer_one(self, seed: int, step: int) -> np.ndarray:
        """What it says without being asked in a batch."""
        return np.random.default_rng([seed, step]).uniform(-1, 1, (4, 4)).astype(np.float32)


class Looking(BatchPolicy):
    """Moves by how bright the head's picture is."""

    def infer(self, requests) -> list[np.ndarray]:
        pictures = [request.observation["images"]["head"] for request in requests]
        return [np.float32([[picture.mean() / 255, 0, 0, 1]]) for picture in pictures]


class Boasting(Slow):
    """Holds, and says of itself what it is told to, or a number that JSON does not have."""

    def __init__(self, said: object = np.int64(7)):
        super().__init__(0.0)
        self._said = said

    def describe(self) -> dict:
        return self._said if isinstance(self._said, str) else {"trained_on": self._said}


class Unspeakable(Exception):
    """Its text raises."""

    def __str__(self) -> str:
        raise ValueError("no words")


class Tensor:
    """As torch's that wants its gradient, or lies on another device: NumPy may not look."""

    def __array__(self, *args, **options):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


def _forks() -> np.ndarray:
    os.fork()
    return HOLD


def _answers_for_another() -> np.ndarray:
    """Writes into every pipe of the process what looks like the outcome of another job."""
    import gc

    from bomb.evaluation.jobs import EpisodeJob, failed

    other = failed(EpisodeJob(condition="another", seed=7), "engine", "as if")
    for pipe in [thing for thing in gc.get_objects() if isinstance(thing, Connection)]:
        if pipe.writable:
            pipe.send(other)
    return HOLD


def _raises(error: BaseException) -> np.ndarray:
    raise error


HOSTILE = {
    "forks": _forks,
    "exits": lambda: sys.exit(3),
    "exits at once": lambda: os._exit(5),
    "kills its group": lambda: os.killpg(0, signal.SIGKILL),
    "answers for another": _answers_for_another,
    "tensor": Tensor,
    "too large": lambda: np.array([[1e300, 0, 0, 1]]),
    "longdouble": lambda: np.array([[np.inf, 0, 0, 1]], dtype=np.longdouble),
    "unspeakable": lambda: _raises(Unspeakable()),
    "undecodable": lambda: _raises(FileNotFoundError(2, "no such file", "caf\udce9.npy")),
    "long": lambda: _raises(RuntimeError("x" * 20_000_000)),
}


class Hostile(Policy):
    """Does at step 2 of scene s what the s-th entry of ``HOSTILE`` says; of higher seeds holds."""

    wants_step = True

    def reset(self, instruction: str, seed: int) -> None:
        deeds = {policy_seed("ci", scene): deed for scene, deed in enumerate(HOSTILE.values())}
        self._do = deeds.get(seed, lambda: HOLD)

    def act(self, observation: dict, *, step: int) -> np.ndarray:
        return self._do() if step == FAULTY_STEP else HOLD
