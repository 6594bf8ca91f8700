"""What was measured already, on disk, so that an interrupted measurement resumes where it stopped."""

import pickle
from collections.abc import Callable
from dataclasses import is_dataclass, replace
from pathlib import Path

from bomb.disk.files import write_bytes, writing
from bomb.machine.versions import versions
from bomb.parity.study import StudyPlan


class Journal:
    """Results of jobs by study and seed, appended to a file of our own as they are finished.

    A file of another plan or of other versions is begun anew, and one that was cut off is read up to there.

    Args:
        file: where they are kept; None keeps nothing.
        plan: what is measured.

    Raises:
        WriteError: if the file cannot be written, then or later.
    """

    def __init__(self, file: Path | None, plan: StudyPlan):
        self._file = file
        # How many episodes are asked for changes none of them.
        self._identity = (repr(replace(plan, episodes=0, out=None)), versions())
        self._results: dict[str, dict[int, object]] = {}
        if file is not None:
            end = self._read(file) if file.exists() else None
            if end is None:
                self._results = {}
                write_bytes(file, pickle.dumps(self._identity))
            else:
                with writing(file), file.open("r+b") as stream:
                    stream.truncate(end)

    def finished(self, study: str) -> dict[int, object]:
        """The results of a study, by seed."""
        return dict(self._results.get(study, {}))

    def keeper(self, study: str) -> Callable[[int, object], None]:
        """What writes down a result of a study: called with the seed and the result."""

        def keep(seed: int, result: object) -> None:
            if self._file is not None:
                with writing(self._file), self._file.open("ab") as stream:
                    stream.write(pickle.dumps((study, seed, result)))

        return keep

    def _read(self, file: Path) -> int | None:
        """Takes up what a file holds; returns where its last whole entry ends, None if it is not ours."""
        end = None
        with file.open("rb") as stream:
            try:
                if _Results(stream).load() != self._identity:
                    return None
                while True:
                    end = stream.tell()
                    study, seed, result = _Results(stream).load()
                    self._results.setdefault(study, {})[seed] = result
            except Exception:  # whatever damaged bytes make of it
                return end


class _Results(pickle.Unpickler):
    """Reads results of studies and plain values; a pickle of anything else runs nothing."""

    def find_class(self, module: str, name: str) -> type:
        """The dataclass of a study.

        Raises:
            pickle.UnpicklingError: for anything else.
        """
        if module.startswith("bomb.parity."):
            found = super().find_class(module, name)
            if isinstance(found, type) and is_dataclass(found):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no result of a study")
