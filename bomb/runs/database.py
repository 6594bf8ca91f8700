"""The SQLite file of a run: made whole, opened, told from another one."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from bomb.disk.files import FileError, WriteError, writing
from bomb.runs.schema import statements

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


def connect(file: Path, mode: str) -> sqlite3.Connection:
    try:
        uri = f"{file.resolve().as_uri()}?mode={mode}"
        # Transactions are our own, see _writing; Python's implicit ones would split an episode.
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


def check_not_empty(file: Path) -> None:
    if file.stat().st_size == 0:
        raise FileError(
            f"{file} is empty: a run was there and is lost, by a full disk for example; put a copy in its "
            "place, or remove it to begin anew"
        )


def identity(file: Path) -> tuple[int, int] | None:
    """Which file it is, whatever its name; None if it is not there."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino
