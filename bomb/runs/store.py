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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zipfile import BadZipFile
from zlib import error as ZlibError

from bomb.disk.differences import first_difference
from bomb.disk.files import FileError, WriteError, writing
from bomb.disk.lock import WriterLock
from bomb.runs.database import check_not_empty, connect, identity, make_database
from bomb.runs.rows import KINDS, Condition, EpisodeRow, ErrorRow
from bomb.runs.schema import (
    DIGEST,
    FORMAT,
    FORMATS,
    TABLES,
    Row,
    digest,
    from_values,
    insertion,
    names,
    to_values,
)
from core.episode.record import EpisodeRecord
from core.errors import LifecycleError, OptionError, StateError, check_choice

__all__ = ["Condition", "EpisodeRow", "ErrorRow", "RunStore", "now"]

FILE, LOCK, PART = "run.sqlite", "run.lock", ".run.sqlite.part"
# What may differ when a run is taken up again: how much is played, on what, and what is kept besides.
MAY_DIFFER = frozenset({"episodes", "perturbation_words", "execution", "hardware", "git"})


class RunStore:
    """A run on disk.

    Attributes:
        path: its folder.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: WriterLock | None):
        self.path, self._connection, self._lock = path, connection, lock
        self._format = FORMAT
        self._identity = identity(path / FILE)

    # ---- beginning and ending ----------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, settings: dict, conditions: Iterable[Condition] = ()) -> "RunStore":
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
            raise FileError(f"{path} is no folder")
        if path.is_dir() and not (path / FILE).exists() and _foreign(path):
            raise FileError(f"{path} exists and holds no run; choose another folder")
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            lock = WriterLock(path / LOCK)
        try:
            if not (path / FILE).exists():
                make_database(path / FILE, path / PART)
            check_not_empty(path / FILE)
            store = cls(path, connect(path / FILE, "rw"), lock)
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
        check_not_empty(path / FILE)
        try:
            connection = connect(path / FILE, "ro")
        except FileError:
            if (path / f"{FILE}-wal").exists():
                raise
            # A folder that may not be written to: nobody else writes either.
            connection = connect(path / FILE, "ro&immutable=1")
        store = cls(path, connection, None)
        try:
            store._check_format()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Lets go of the file. A second call does nothing."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> "RunStore":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # ---- reading -----------------------------------------------------------------------------

    def settings(self) -> dict:
        """What was asked for when the run was last taken up, with what it was made with."""
        return self.sessions()[-1]["settings"]

    def sessions(self) -> list[dict]:
        """Every time that the run was taken up: ``started`` and ``settings``."""
        rows = self._checked("sessions", ["id", "started", "settings"], "ORDER BY id")
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
        """Every attempt that came to nothing, in the order in which they happened."""
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
        data = self._blob("records", condition_key, seed)
        try:
            return EpisodeRecord.from_bytes(data)
        except (StateError, BadZipFile, ZlibError, ValueError, LookupError) as error:
            raise FileError(
                f"{self.path / FILE}: series of {condition_key}, seed {seed} is damaged: {error}"
            ) from error

    def states(self, condition_key: str, seed: int) -> bytes:
        """The full states of an episode that was asked to keep them; see ``bomb.runs.states``.

        Raises:
            UnknownNameError, FileError: as ``record``.
        """
        return self._blob("states", condition_key, seed)

    def with_states(self) -> set[tuple[str, int]]:
        """(condition, seed) of the episodes whose full states were kept."""
        return set(self._read("SELECT condition, seed FROM states"))

    def check(self) -> None:
        """Returns if the file is whole: its pages, its indices, the digest of every row.

        Raises:
            FileError: saying what is damaged.
        """
        found = [words for (words,) in self._read("PRAGMA integrity_check(3)")]
        if found != ["ok"]:
            words = " ".join("; ".join(found).split())
            raise FileError(
                f"{self.path / FILE} is damaged: {words}; take a copy that is whole, or play the "
                "run again in another folder"
            )
        for table in ("sessions", "conditions", "episodes", "errors", "records", "states"):
            count, last = self._read(f"SELECT count(*), coalesce(max(rowid), 0) FROM {table} NOT INDEXED")[0]
            if count != last:  # rows are only ever added
                raise FileError(
                    f"{self.path / FILE} is damaged: table {table} has lost {last - count} of {last} rows"
                )
        known = {condition.key for condition in self.conditions()}
        rows = (*self.episodes(), *self.errors())
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
            with self._writing() as connection:
                self._insert(connection, "episodes", to_values(row))
                for table, data in (("records", record), ("states", states)):
                    if data is not None:
                        self._insert(connection, table, [row.condition, row.seed, data])
        except sqlite3.IntegrityError as error:
            raise LifecycleError(
                f"{self.path} has an episode of {row.condition}, seed {row.seed} already"
            ) from error

    def add_error(self, error: ErrorRow) -> None:
        """Keeps why an attempt came to nothing.

        Raises:
            UnknownNameError: if the kind is none of ``rows.KINDS``.
            LifecycleError: if the run was opened for reading.
        """
        check_choice("kind of error", error.kind, KINDS)
        with self._writing() as connection:
            self._insert(connection, "errors", to_values(error))

    # ---- inside ------------------------------------------------------------------------------

    def _begin(self, settings: dict, conditions: list[Condition]) -> None:
        self._check_format()
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
        with self._writing() as connection:
            session = [len(before) + 1, now(), json.dumps(settings, allow_nan=False)]
            self._insert(connection, "sessions", session)
            for condition in conditions:
                if condition.key not in known:
                    self._insert(connection, "conditions", to_values(condition))

    def _check_format(self) -> None:
        version = self._read("PRAGMA user_version")[0][0]
        if version not in FORMATS:
            raise FileError(
                f"{self.path} holds a run of format {version}, not {' or '.join(map(str, FORMATS))}"
            )
        self._format = version

    def _blob(self, table: str, key: str, seed: int) -> bytes:
        check_choice("condition", key, [condition.key for condition in self.conditions()])
        where = "WHERE condition = ? AND seed = ?"
        found = self._checked(table, ["condition", "seed", "data"], where, key, int(seed))
        if not found:
            seeds = [
                s for (s,) in self._read(f"SELECT seed FROM {table} WHERE condition = ? ORDER BY seed", key)
            ]
            raise FileError(f"{self.path} has no {table} of {key}, seed {seed}; it has seeds {_short(seeds)}")
        return found[0][2]

    def _rows(self, kind: type[Row], rest: str, *values: object) -> list:
        rows = self._checked(TABLES[kind][0], names(kind), rest, *values)
        try:
            return [from_values(kind, row) for row in rows]
        except ValueError as error:
            raise FileError(f"{self.path / FILE}: table {TABLES[kind][0]} is damaged: {error}") from error

    def _checked(self, table: str, columns: list[str], rest: str, *values: object) -> list[tuple]:
        """Rows whose digest is that of what they hold."""
        digests = self._format >= FORMAT
        wanted = [*columns, DIGEST] if digests else columns
        rows = self._read(f"SELECT {', '.join(wanted)} FROM {table} {rest}", *values)
        if not digests:
            return rows
        for *held, said in rows:
            if digest(held) != said:
                place = ", ".join(str(value)[:60] for value in held[:2])
                raise FileError(
                    f"{self.path / FILE} is damaged: a row of {table} ({place}) is not what was written; "
                    "take a copy that is whole, or play the run again in another folder"
                )
        return [tuple(held) for *held, _ in rows]

    def _insert(self, connection: sqlite3.Connection, table: str, values: list) -> None:
        if self._format >= FORMAT:
            values = [*values, digest(values)]
        connection.execute(insertion(table, len(values)), values)

    def _read(self, sql: str, *values: object) -> list[tuple]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
            raise FileError(f"{self.path / FILE} cannot be read: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction.

        Raises:
            LifecycleError: if the run was opened for reading.
            FileError: if the disk is full or the file may not be written, or is another one by now.
        """
        if self._lock is None:
            raise LifecycleError(f"{self.path} was opened for reading")
        self._check_in_place()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:  # SQLite itself ends one that met a full disk
                    self._connection.execute("ROLLBACK")
                raise
            self._commit()
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise WriteError(
                f"{self.path / FILE} cannot be written: {error}; what was finished before is whole, and the "
                "same command resumes there"
            ) from error
        self._check_in_place()

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _check_in_place(self) -> None:
        if self._identity is None or identity(self.path / FILE) != self._identity:
            raise FileError(
                f"{self.path / FILE} was deleted or replaced while the run was written to it; what is there "
                "now is not this run: put the file back, or choose another folder"
            )


def now() -> str:
    """The time as the store has it: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _foreign(path: Path) -> bool:
    return any(file.name not in (LOCK, PART, f"{PART}-journal") for file in path.iterdir())


def _short(seeds: list[int]) -> str:
    shown = ", ".join(map(str, seeds[:20]))
    return f"{shown}, ... ({len(seeds)} in all)" if len(seeds) > 20 else shown or "(none)"
