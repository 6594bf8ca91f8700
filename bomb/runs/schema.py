"""The tables of ``run.sqlite``; docs/evaluation.md explains them to those who read them with other tools."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import Field, fields
from math import isfinite
from typing import Any, get_origin

from bomb.disk.text import printable
from bomb.runs.rows import Condition, EpisodeRow, ErrorRow

FORMAT = 3  # format 1 was a folder of files; format 2 had no digests
FORMATS = (2, FORMAT)  # that can be read, and taken up again as they are
DIGEST = "digest"  # the last column of every table: of what the row holds, see ``digest``

# Kept as JSON text; every other column is what SQLite calls it.
_JSON = frozenset({dict, list})
_SQL: dict[Any, str] = {
    str: "TEXT NOT NULL", int: "INTEGER NOT NULL", bool: "INTEGER NOT NULL",
    dict: "TEXT NOT NULL", list: "TEXT NOT NULL",
    str | None: "TEXT", int | None: "INTEGER", float | None: "REAL",
}  # fmt: skip

Row = Condition | EpisodeRow | ErrorRow
TABLES: dict[type, tuple[str, str]] = {  # row: (table, what makes it unique)
    Condition: ("conditions", "PRIMARY KEY (key)"),
    EpisodeRow: ("episodes", "PRIMARY KEY (condition, seed)"),
    ErrorRow: ("errors", ""),
}


def statements() -> list[str]:
    """SQL that makes the tables. Rows are only ever added: nothing may change or delete one."""
    digest = f"{DIGEST} TEXT NOT NULL"
    made = [
        "CREATE TABLE sessions (id INTEGER PRIMARY KEY, started TEXT NOT NULL, settings TEXT NOT NULL, "
        f"{digest})"
    ]
    for kind, (table, unique) in TABLES.items():
        columns = [f"{field.name} {_SQL[_kind(field)]}" for field in fields(kind)]
        made.append(f"CREATE TABLE {table} ({', '.join(filter(None, [*columns, digest, unique]))})")
    for table in ("records", "states"):
        made.append(
            f"CREATE TABLE {table} (condition TEXT NOT NULL, seed INTEGER NOT NULL, data BLOB NOT NULL, "
            f"{digest}, PRIMARY KEY (condition, seed))"
        )
    for table in ("sessions", "conditions", "episodes", "errors", "records", "states"):
        for event in ("UPDATE", "DELETE"):
            made.append(
                f"CREATE TRIGGER {table}_keeps_{event.lower()} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    return [*made, f"PRAGMA user_version = {FORMAT}"]


def _kind(field: Field[Any]) -> Any:
    """The type of a column; ``dict`` and ``list`` whatever they hold."""
    origin = get_origin(field.type)
    return origin if origin in _JSON else field.type


def insertion(table: str, count: int) -> str:
    """SQL that adds one row of so many values, in the order of the columns."""
    return f"INSERT INTO {table} VALUES ({', '.join('?' * count)})"


def names(kind: type[Row]) -> list[str]:
    """The columns of a row, without its digest."""
    return [field.name for field in fields(kind)]


def digest(values: Sequence[object]) -> str:
    """What tells damage: 128 bits of BLAKE2b over the values of a row, as SQLite gives them back.

    Args:
        values: text, integers, floats, None or bytes, in the order of the columns.
    """
    total = hashlib.blake2b(digest_size=16)
    for value in values:
        if isinstance(value, bytes):
            kind, data = b"b", value
        elif isinstance(value, str):
            kind, data = b"s", value.encode("utf-8", "surrogatepass")
        else:
            kind, data = b"n", repr(value).encode()
        total.update(kind + len(data).to_bytes(8, "little") + data)
    return total.hexdigest()


def to_values(row: Row) -> list[Any]:
    """A row as SQLite takes it, and as it gives it back.

    Raises:
        ValueError: if a number in it is not finite.
    """
    return [_plain(_kind(field), getattr(row, field.name)) for field in fields(row)]


def _plain(kind: object, value: Any) -> object:
    if kind in _JSON:
        return json.dumps(value, allow_nan=False)
    if value is None:
        return None
    if kind == (float | None):
        if not isfinite(value):
            raise ValueError(f"{value!r} is not JSON compliant")
        return float(value)
    return int(value) if kind in (bool, int, int | None) else printable(str(value))


def from_values(kind: type[Row], values: tuple[Any, ...]) -> Row:
    """Inverse of ``to_values``."""
    plain = {}
    for field, value in zip(fields(kind), values, strict=True):
        if _kind(field) in _JSON:
            value = json.loads(value)
        elif field.type is bool:
            value = bool(value)
        elif field.name == "reason" and value is None:
            value = "none"  # as earlier versions left it after success
        plain[field.name] = value
    return kind(**plain)
