"""What was measured already, on disk, so that an interrupted measurement resumes where it stopped."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bomb.machine.versions import versions
from bomb.parity.study import StudyPlan


class Journal:
    """Results of jobs by study and seed, appended to a file of our own as they are finished.

    A file of another plan or of other versions is begun anew, and one that was cut off is read up to there.

    Args:
        file: where they are kept; None keeps nothing.
        plan: what is measured.
    """

    def __init__(self, file: Path | None, plan: StudyPlan):
        self._file = file
        # How many episodes are asked for changes none of them.
        self._identity = (repr(replace(plan, episodes=0, out=None)), versions())
        self._results: dict[str, dict[int, object]] = {}
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            end = self._read(file) if file.exists() else None
            if end is None:
                self._results = {}
                file.write_bytes(pickle.dumps(self._identity))
            else:
                with file.open("r+b") as stream:
                    stream.truncate(end)

    def finished(self, study: str) -> dict[int, object]:
        """The results of a study, by seed."""
        return dict(self._results.get(study, {}))

    def keeper(self, study: str) -> Callable[[int, object], None]:
        """What writes down a result of a study: called with the seed and the result."""

        def keep(seed: int, result: object) -> None:
            if self._file is not None:
                with self._file.open("ab") as stream:
                    stream.write(pickle.dumps((study, seed, result)))

        return keep

    def _read(self, file: Path) -> int | None:
        """Takes up what a file holds; returns where its last whole entry ends, None if it is not ours."""
        end = None
        with file.open("rb") as stream:
            try:
                if pickle.load(stream) != self._identity:
                    return None
                while True:
                    end = stream.tell()
                    study, seed, result = pickle.load(stream)
                    self._results.setdefault(study, {})[seed] = result
            except (EOFError, pickle.UnpicklingError, ValueError, AttributeError, ImportError, IndexError):
                return end
