"""The folder of a run: one SQLite file to which every episode is added once, when it ends.

::

    RUN/run.sqlite      settings, conditions, episodes, series of measures, errors
    RUN/videos/         what was filmed
    RUN/summary.json    the result so far

One process writes, any number read, also while the run goes on (write-ahead log). A transaction holds one
whole episode, so that ``kill -9`` loses no more than the episodes being played.
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
from bomb.disk.files import FileError
from bomb.disk.lock import WriterLock
from bomb.runs.rows import KINDS, Condition, EpisodeRow, ErrorRow
from bomb.runs.schema import FORMAT, Row, from_values, insertion, selection, statements, to_values
from core.episode.record import EpisodeRecord
from core.errors import LifecycleError, OptionError, StateError, check_choice

__all__ = ["Condition", "EpisodeRow", "ErrorRow", "RunStore", "now"]

FILE = "run.sqlite"
# What may differ when a run is taken up again: how much is played, on what, and what is kept besides.
MAY_DIFFER = frozenset({"episodes", "perturbation_words", "execution", "hardware", "git"})
WAIT_S = 30.0  # for a reader that holds the file, before giving up


class RunStore:
    """A run on disk.

    Attributes:
        path: its folder.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: WriterLock | None):
        self.path, self._connection, self._lock = path, connection, lock

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
        path.mkdir(parents=True, exist_ok=True)
        lock = WriterLock(path / "run.lock")
        try:
            store = cls(path, _connect(path / FILE, "rwc"), lock)
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
        try:
            connection = _connect(path / FILE, "ro")
        except FileError:
            if (path / f"{FILE}-wal").exists():
                raise
            # A folder that may not be written to: nobody else writes either.
            connection = _connect(path / FILE, "ro&immutable=1")
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
        rows = self._read("SELECT started, settings FROM sessions ORDER BY id")
        return [{"started": started, "settings": json.loads(settings)} for started, settings in rows]

    def conditions(self) -> list[Condition]:
        """The matrix, in its order."""
        return self._rows(Condition, "ORDER BY rowid")

    def episodes(self, condition_key: str | None = None) -> list[EpisodeRow]:
        """Finished episodes, by condition and seed, of one condition or of all.

        Raises:
            UnknownNameError: if there is no such condition.
        """
        if condition_key is None:
            return self._rows(
                EpisodeRow, "ORDER BY (SELECT c.rowid FROM conditions c WHERE key = condition), seed"
            )
        self._check_condition(condition_key)
        return self._rows(EpisodeRow, "WHERE condition = ? ORDER BY seed", condition_key)

    def finished(self) -> set[tuple[str, int]]:
        """(condition, seed) of every finished episode."""
        return set(self._read("SELECT condition, seed FROM episodes"))

    def errors(self) -> list[ErrorRow]:
        """Every attempt that came to nothing, in the order in which they happened."""
        return self._rows(ErrorRow, "ORDER BY rowid")

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
        except (StateError, BadZipFile, ZlibError) as error:
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
                connection.execute(insertion(EpisodeRow), to_values(row))
                for table, data in (("records", record), ("states", states)):
                    if data is not None:
                        connection.execute(
                            f"INSERT INTO {table} VALUES (?, ?, ?)", (row.condition, row.seed, data)
                        )
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
            connection.execute(insertion(ErrorRow), to_values(error))

    # ---- inside ------------------------------------------------------------------------------

    def _begin(self, settings: dict, conditions: list[Condition]) -> None:
        version = next(iter(self._read("PRAGMA user_version")))[0]
        if version == 0 and not self._read("SELECT name FROM sqlite_master"):
            with self._writing() as connection:
                for statement in statements():
                    connection.execute(statement)
        self._check_format()
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
            connection.execute(
                "INSERT INTO sessions (started, settings) VALUES (?, ?)",
                (now(), json.dumps(settings, allow_nan=False)),
            )
            for condition in conditions:
                if condition.key not in known:
                    connection.execute(insertion(Condition), to_values(condition))

    def _check_format(self) -> None:
        version = self._read("PRAGMA user_version")[0][0]
        if version != FORMAT:
            raise FileError(f"{self.path} holds a run of format {version}, not {FORMAT}")

    def _check_condition(self, key: str) -> None:
        check_choice("condition", key, [key for (key,) in self._read("SELECT key FROM conditions")])

    def _blob(self, table: str, key: str, seed: int) -> bytes:
        self._check_condition(key)
        found = self._read(f"SELECT data FROM {table} WHERE condition = ? AND seed = ?", key, int(seed))
        if not found:
            seeds = [
                s for (s,) in self._read(f"SELECT seed FROM {table} WHERE condition = ? ORDER BY seed", key)
            ]
            raise FileError(f"{self.path} has no {table} of {key}, seed {seed}; it has seeds {_short(seeds)}")
        return found[0][0]

    def _rows(self, kind: type[Row], rest: str, *values: object) -> list:
        return [from_values(kind, row) for row in self._read(f"{selection(kind)} {rest}", *values)]

    def _read(self, sql: str, *values: object) -> list[tuple]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise FileError(f"{self.path / FILE} cannot be read: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        if self._lock is None:
            raise LifecycleError(f"{self.path} was opened for reading")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def now() -> str:
    """The time as the store has it: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    try:
        uri = f"{file.resolve().as_uri()}?mode={mode}"
        # Transactions are our own, see _writing; Python's implicit ones would split an episode.
        connection = sqlite3.connect(uri, uri=True, timeout=WAIT_S, isolation_level=None)
        if mode == "rwc":
            connection.execute("PRAGMA journal_mode = WAL")
            # Survives the end of any process; a power cut may lose the last episodes, never the file.
            connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except sqlite3.Error as error:
        raise FileError(f"{file} cannot be read: {error}") from error
    return connection


def _foreign(path: Path) -> bool:
    return any(file.name != "run.lock" for file in path.iterdir())


def _short(seeds: list[int]) -> str:
    shown = ", ".join(map(str, seeds[:20]))
    return f"{shown}, ... ({len(seeds)} in all)" if len(seeds) > 20 else shown or "(none)"
