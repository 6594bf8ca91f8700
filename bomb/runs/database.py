"""The SQLite file of a run: made whole, opened, told from another one; rows with digests, in transactions."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bomb.disk.files import FileError, WriteError, writing
from bomb.runs.schema import DIGEST, FORMAT, FORMATS, digest, insertion, statements
from core.errors import LifecycleError

WAIT_S = 30.0  # for a reader that holds the file, before giving up


def make_database(file: Path, beside: Path) -> None:
    """An empty run, whole or not there: made beside and renamed, so that a killed process leaves no stump."""
    beside.unlink(missing_ok=True)
    try:
        connection = sqlite3.connect(beside, isolation_level=None)
        try:
            connection.execute("BEGIN")
            for statement in statements():
                connection.execute(statement)
            connection.execute("COMMIT")
        finally:
            connection.close()
        with writing(file):
            beside.replace(file)
    except sqlite3.Error as error:
        raise WriteError(f"{file} cannot be written: {error}") from error
    finally:
        for rest in (beside, beside.with_name(f"{beside.name}-journal")):
            with suppress(OSError):
                rest.unlink(missing_ok=True)


class Database:
    """The file, opened.

    Attributes:
        file: where it is.
        connection: to SQLite; what is done through it alone is not checked.
        format: that the file was made with.
    """

    def __init__(self, file: Path, connection: sqlite3.Connection, *, write: bool):
        self.file, self.connection, self._write = file, connection, write
        self._identity = _identity(file)
        self.format: int = self.read("PRAGMA user_version")[0][0]
        if self.format not in FORMATS:
            raise FileError(
                f"{file.parent} holds a run of format {self.format}, not {' or '.join(map(str, FORMATS))}"
            )

    @classmethod
    def open(cls, file: Path, *, write: bool) -> "Database":
        """A file that is there.

        Raises:
            FileError: if it is empty, cannot be read, or is of another format.
        """
        _check_not_empty(file)
        try:
            connection = _connect(file, "rw" if write else "ro")
        except FileError:
            if write or file.with_name(f"{file.name}-wal").exists():
                raise
            # A folder that may not be written to: nobody else writes either.
            connection = _connect(file, "ro&immutable=1")
        try:
            return cls(file, connection, write=write)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Lets go of the file. A second call does nothing."""
        self.connection.close()

    def read(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds.

        Raises:
            FileError: if it cannot be read.
        """
        try:
            return self.connection.execute(sql, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
            raise FileError(f"{self.file} cannot be read: {error}") from error

    def rows(self, table: str, columns: list[str], rest: str, *values: object) -> list[tuple[Any, ...]]:
        """Columns of a table.

        Args:
            table, columns: what to read.
            rest: SQL that follows the table's name.
            values: of its question marks.

        Raises:
            FileError: if they cannot be read, or the digest of a row is not that of what it holds.
        """
        digests = self.format >= FORMAT
        wanted = [*columns, DIGEST] if digests else columns
        rows = self.read(f"SELECT {', '.join(wanted)} FROM {table} {rest}", *values)
        if not digests:
            return rows
        for *held, said in rows:
            if digest(held) != said:
                place = ", ".join(str(value)[:60] for value in held[:2])
                raise FileError(
                    f"{self.file} is damaged: a row of {table} ({place}) is not what was written; "
                    "take a copy that is whole, or play the run again in another folder"
                )
        return [tuple(held) for *held, _ in rows]

    def insert(self, table: str, values: Sequence[object]) -> None:
        """Adds a row, in a transaction that is going on."""
        row = list(values)
        if self.format >= FORMAT:
            row.append(digest(row))
        self.connection.execute(insertion(table, len(row)), row)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction.

        Raises:
            LifecycleError: if the run was opened for reading.
            FileError: if the disk is full or the file may not be written, or is another one by now.
        """
        if not self._write:
            raise LifecycleError(f"{self.file.parent} was opened for reading")
        self._check_in_place()
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self.connection.in_transaction:  # SQLite itself ends one that met a full disk
                    self.connection.execute("ROLLBACK")
                raise
            self._commit()
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise WriteError(
                f"{self.file} cannot be written: {error}; what was finished before is whole, and the "
                "same command resumes there"
            ) from error
        self._check_in_place()

    def _commit(self) -> None:
        try:
            self.connection.execute("COMMIT")
        except sqlite3.Error:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def _check_in_place(self) -> None:
        if self._identity is None or _identity(self.file) != self._identity:
            raise FileError(
                f"{self.file} was deleted or replaced while the run was written to it; what is there "
                "now is not this run: put the file back, or choose another folder"
            )


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    try:
        uri = f"{file.resolve().as_uri()}?mode={mode}"
        # Transactions are our own, see writing; Python's implicit ones would split an episode.
        connection = sqlite3.connect(uri, uri=True, timeout=WAIT_S, isolation_level=None)
        try:
            if mode == "rw":
                connection.execute("PRAGMA journal_mode = WAL")
                # Survives the end of any process; a power cut may lose the last episodes, never the file.
                connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, ValueError) as error:
        raise FileError(f"{file} cannot be read: {error}") from error
    return connection


def _check_not_empty(file: Path) -> None:
    if file.stat().st_size == 0:
        raise FileError(
            f"{file} is empty: a run was there and is lost, by a full disk for example; put a copy in its "
            "place, or remove it to begin anew"
        )


def _identity(file: Path) -> tuple[int, int] | None:
    """Which file it is, whatever its name; None if it is not there."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino
