"""A policy that writes down everything it is handed, for workers in other processes."""

import pickle
from pathlib import Path

import numpy as np

from core.policy import Policy

HOLD = np.array([[0, 0, 0, 1]], dtype=np.float32)


class Witness(Policy):
    """Holds; appends every call with all its arguments to FOLDER/heard."""

    wants_step = True
    wants_action_spec = True
    wants_goal_picture = True

    def __init__(self, folder: str):
        self._file = Path(folder) / "heard"

    def reset(self, *arguments, **named) -> None:
        self._write("reset", arguments, named)

    def proceed(self, *arguments, **named) -> None:
        self._write("proceed", arguments, named)

    def act(self, *arguments, **named) -> np.ndarray:
        self._write("act", arguments, named)
        return HOLD

    def _write(self, what: str, arguments: tuple, named: dict) -> None:
        with open(self._file, "ab") as file:
            pickle.dump((what, arguments, named), file)


def heard(folder: Path) -> list[tuple]:
    """Every call of the witnesses of a folder, in order."""
    calls = []
    with open(folder / "heard", "rb") as file:
        while True:
            try:
                calls.append(pickle.load(file))
            except EOFError:
                return calls
