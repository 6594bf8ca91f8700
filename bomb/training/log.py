"""``metrics.jsonl``: one line per measurement, cut back to where a training is resumed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bomb.disk.files import FileError, write_bytes, writing

FILE = "metrics.jsonl"


class MetricsLog:
    """The lines of a training.

    Args:
        folder: of the training.
    """

    def __init__(self, folder: Path):
        self._file = Path(folder) / FILE

    def add(self, row: dict[str, Any]) -> None:
        """Appends a line, at once on disk.

        Raises:
            WriteError: if it cannot be written.
            ValueError: if a number is not finite.
        """
        line = json.dumps(row, allow_nan=False) + "\n"
        with writing(self._file), self._file.open("a") as file:
            file.write(line)

    def cut(self, step: int) -> None:
        """Drops what was logged after ``step``, and a line that was cut off."""
        self.drop(lambda row: row["step"] > step)

    def drop(self, matching: Callable[[dict[str, Any]], bool]) -> None:
        """Drops the rows that match, and a line that was cut off."""
        kept = [row for row in read_log(self._file.parent) if not matching(row)]
        with writing(self._file):
            write_bytes(self._file, "".join(json.dumps(row) + "\n" for row in kept).encode())


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The lines of a training, while it runs, too: the last one may be half written and is left out.

    Raises:
        FileError: if a line in the middle is damaged.
    """
    file = Path(folder) / FILE
    if not file.is_file():
        return []
    lines = file.read_text().splitlines(keepends=True)
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            if not isinstance(row, dict) or "step" not in row:
                raise ValueError("no step")
            rows.append(row)
        except ValueError as error:
            if number == len(lines):
                break
            raise FileError(f"{file}, line {number} is damaged") from error
    return rows
