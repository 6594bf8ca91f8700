"""The folder of a run: one SQLite file to which every episode is added once, when it ends.

::

    RUN/run.sqlite      settings, conditions, episodes, series of measures, errors
    RUN/videos/         what was filmed
    RUN/summary.json    the result so far

One process writes, any number read, also while the run goes on (write-ahead log). A transaction holds one
whole episode, so that ``kill -9`` loses no more than the episodes being played. Every row has a digest
(``bomb.runs.schema.digest``), which is compared whenever it is read: a damaged byte is told, not believed.
"""

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile
from zlib import error as ZlibError

from bomb.disk.differences import first_difference
from bomb.disk.files import FileError, writing
from bomb.disk.lock import WriterLock
from bomb.runs.database import Database, make_database
from bomb.runs.rows import KINDS, Condition, EpisodeRow, ErrorRow
from bomb.runs.schema import TABLES, Row, from_values, names, to_values
from core.episode.record import EpisodeRecord
from core.errors import LifecycleError, OptionError, StateError, check_choice

__all__ = ["Condition", "EpisodeRow", "ErrorRow", "RunStore", "now"]

FILE, LOCK, PART = "run.sqlite", "run.lock", ".run.sqlite.part"
# What may differ when a run is taken up again: how much is played, on what, and what is kept besides.
MAY_DIFFER = frozenset({"episodes", "perturbation_words", "execution", "hardware", "device", "git"})


class RunStore:
    """A run on disk.

    Attributes:
        path: its folder.
        database: its file, for repairs, and for tests.
    """

    def __init__(self, path: Path, database: Database, lock: WriterLock | None):
        self.path, self.database, self._lock = path, database, lock

    # ---- beginning and ending ----------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, settings: dict[str, Any], conditions: Iterable[Condition] = ()) -> "RunStore":
        """Begins a run, or takes up the one that is there, for writing.

        Args:
            path: the folder; made if missing.
            settings: plain values that say what is run.
            conditions: the matrix.

        Raises:
            OptionError: if the folder holds a run with other settings, naming the first that differs.
            FileError: if it holds something else, or another process writes to it.
        """
        path = Path(path)
        if path.exists() and not path.is_dir():
            raise FileError(f"{path} is not a folder")
        if path.is_dir() and not (path / FILE).exists() and _foreign(path):
            raise FileError(f"{path} exists and holds no run; choose another folder")
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            lock = WriterLock(path / LOCK)
        try:
            if not (path / FILE).exists():
                make_database(path / FILE, path / PART)
            store = cls(path, Database.open(path / FILE, write=True), lock)
        except BaseException:
            lock.release()
            raise
        try:
            store._begin(settings, list(conditions))
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def open(cls, path: Path) -> "RunStore":
        """An existing run, for reading; it may be going on.

        Raises:
            FileError: if the folder holds none, or one of another format.
        """
        path = Path(path)
        if not (path / FILE).exists():
            raise FileError(f"{path / FILE} does not exist: {path} holds no run")
        return cls(path, Database.open(path / FILE, write=False), None)

    def close(self) -> None:
        """Lets go of the file. A second call does nothing."""
        self.database.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> "RunStore":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # ---- reading -----------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """What was asked for when the run was last taken up, with what it was made with."""
        settings: dict[str, Any] = self.sessions()[-1]["settings"]
        return settings

    def sessions(self) -> list[dict[str, Any]]:
        """Every time that the run was taken up: ``started`` and ``settings``."""
        rows = self.database.rows("sessions", ["id", "started", "settings"], "ORDER BY id")
        return [{"started": started, "settings": json.loads(settings)} for _, started, settings in rows]

    def conditions(self) -> list[Condition]:
        """The matrix, in its order."""
        return self._rows(Condition, "NOT INDEXED ORDER BY rowid")

    def episodes(self, condition_key: str | None = None) -> list[EpisodeRow]:
        """Finished episodes, by condition and seed, of one condition or of all.

        Raises:
            UnknownNameError: if there is no such condition.
        """
        order = {condition.key: k for k, condition in enumerate(self.conditions())}
        if condition_key is not None:
            check_choice("condition", condition_key, order)
            return self._rows(EpisodeRow, "NOT INDEXED WHERE condition = ? ORDER BY seed", condition_key)
        # Not by an index: a damaged one leaves rows out, and a row that is read has its digest.
        rows = self._rows(EpisodeRow, "NOT INDEXED")
        return sorted(rows, key=lambda row: (order.get(row.condition, len(order)), row.seed))

    def finished(self) -> set[tuple[str, int]]:
        """(condition, seed) of every finished episode."""
        return {(row.condition, row.seed) for row in self._rows(EpisodeRow, "NOT INDEXED")}

    def errors(self) -> list[ErrorRow]:
        """Every attempt that ended in an error, in the order in which they happened."""
        return self._rows(ErrorRow, "NOT INDEXED ORDER BY rowid")

    def unplayed(self) -> list[ErrorRow]:
        """The last error of each episode that could not be played in the end."""
        done = self.finished()
        last = {(error.condition, error.seed): error for error in self.errors()}
        return [error for place, error in last.items() if place not in done]

    def record(self, condition_key: str, seed: int) -> EpisodeRecord:
        """The series of an episode, from which it can be judged again.

        Raises:
            UnknownNameError: if there is no such condition.
            FileError: if there is no such episode, or its series was not kept or cannot be read.
        """
        data = self.series(condition_key, seed)
        try:
            return EpisodeRecord.from_bytes(data)
        except (StateError, BadZipFile, ZlibError, ValueError, LookupError) as error:
            raise FileError(
                f"{self.path / FILE}: series of {condition_key}, seed {seed} is damaged: {error}"
            ) from error

    def series(self, condition_key: str, seed: int) -> bytes:
        """What ``record`` reads, as it was kept.

        Raises:
            UnknownNameError, FileError: as ``record``.
        """
        return self._blob("records", condition_key, seed)

    def states(self, condition_key: str, seed: int) -> bytes:
        """The full states of an episode that was asked to keep them; see ``bomb.runs.states``.

        Raises:
            UnknownNameError, FileError: as ``record``.
        """
        return self._blob("states", condition_key, seed)

    def with_states(self) -> set[tuple[str, int]]:
        """(condition, seed) of the episodes whose full states were kept."""
        return set(self.database.read("SELECT condition, seed FROM states"))

    def check(self) -> None:
        """Returns if the file is whole: its pages, its indices, the digest of every row.

        Raises:
            FileError: saying what is damaged.
        """
        found = [words for (words,) in self.database.read("PRAGMA integrity_check(3)")]
        if found != ["ok"]:
            words = " ".join("; ".join(found).split())
            raise FileError(
                f"{self.path / FILE} is damaged: {words}; take a copy that is whole, or play the "
                "run again in another folder"
            )
        for table in ("sessions", "conditions", "episodes", "errors", "records", "states"):
            count, last = self.database.read(
                f"SELECT count(*), coalesce(max(rowid), 0) FROM {table} NOT INDEXED"
            )[0]
            if count != last:  # rows are only ever added
                raise FileError(
                    f"{self.path / FILE} is damaged: table {table} has lost {last - count} of {last} rows"
                )
        known = {condition.key for condition in self.conditions()}
        rows: list[EpisodeRow | ErrorRow] = [*self.episodes(), *self.errors()]
        if not {row.condition for row in rows} <= known or (rows and not self.sessions()):
            raise FileError(f"{self.path / FILE} is damaged: it has lost its conditions or its settings")

    # ---- writing -----------------------------------------------------------------------------

    def add(self, row: EpisodeRow, record: bytes | None = None, states: bytes | None = None) -> None:
        """Keeps a finished episode: all of it or nothing.

        Args:
            row: the episode.
            record: ``EpisodeRecord.to_bytes()``.
            states: full states, see ``bomb.runs.states``.

        Raises:
            LifecycleError: if that episode is there already, or the run was opened for reading.
            ValueError: if a number in the row is not finite.
        """
        try:
            with self.database.writing():
                self.database.insert("episodes", to_values(row))
                for table, data in (("records", record), ("states", states)):
                    if data is not None:
                        self.database.insert(table, [row.condition, row.seed, data])
        except sqlite3.IntegrityError as error:
            raise LifecycleError(
                f"{self.path} has an episode of {row.condition}, seed {row.seed} already"
            ) from error

    def add_error(self, error: ErrorRow) -> None:
        """Keeps the error that an attempt ended in.

        Raises:
            UnknownNameError: if the kind is none of ``rows.KINDS``.
            LifecycleError: if the run was opened for reading.
        """
        check_choice("kind of error", error.kind, KINDS)
        with self.database.writing():
            self.database.insert("errors", to_values(error))

    # ---- inside ------------------------------------------------------------------------------

    def _begin(self, settings: dict[str, Any], conditions: list[Condition]) -> None:
        self.check()
        before = self.sessions()
        if before:
            difference = first_difference(before[-1]["settings"], settings, MAY_DIFFER)
            if difference is not None:
                name, old, new = difference
                raise OptionError(
                    f"{self.path} holds a run with {name} = {old!r}, not {new!r}; "
                    "choose another folder, or the same settings to take it up again"
                )
        known = {condition.key for condition in self.conditions()}
        with self.database.writing():
            session = [len(before) + 1, now(), json.dumps(settings, allow_nan=False)]
            self.database.insert("sessions", session)
            for condition in conditions:
                if condition.key not in known:
                    self.database.insert("conditions", to_values(condition))

    def _blob(self, table: str, key: str, seed: int) -> bytes:
        check_choice("condition", key, [condition.key for condition in self.conditions()])
        where = "WHERE condition = ? AND seed = ?"
        found = self.database.rows(table, ["condition", "seed", "data"], where, key, int(seed))
        if not found:
            sql = f"SELECT seed FROM {table} WHERE condition = ? ORDER BY seed"
            seeds = [kept for (kept,) in self.database.read(sql, key)]
            raise FileError(f"{self.path} has no {table} of {key}, seed {seed}; it has seeds {_short(seeds)}")
        data: bytes = found[0][2]
        return data

    def _rows(self, kind: type[Row], rest: str, *values: object) -> list[Any]:
        rows = self.database.rows(TABLES[kind][0], names(kind), rest, *values)
        try:
            return [from_values(kind, row) for row in rows]
        except ValueError as error:
            raise FileError(f"{self.path / FILE}: table {TABLES[kind][0]} is damaged: {error}") from error


def now() -> str:
    """The time as the store has it: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _foreign(path: Path) -> bool:
    return any(file.name not in (LOCK, PART, f"{PART}-journal") for file in path.iterdir())


def _short(seeds: list[int]) -> str:
    shown = ", ".join(map(str, seeds[:20]))
    return f"{shown}, ... ({len(seeds)} in all)" if len(seeds) > 20 else shown or "(none)"
