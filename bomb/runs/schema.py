"""The tables of ``run.sqlite``; docs/evaluation.md explains them to those who read them with other tools."""

import json
from dataclasses import fields

from bomb.runs.rows import Condition, EpisodeRow, ErrorRow

FORMAT = 2  # format 1 was a folder of files

# Kept as JSON text; every other column is what SQLite calls it.
_JSON = frozenset({dict, list})
_SQL = {
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
    made = ["CREATE TABLE sessions (id INTEGER PRIMARY KEY, started TEXT NOT NULL, settings TEXT NOT NULL)"]
    for kind, (table, unique) in TABLES.items():
        columns = [f"{field.name} {_SQL[field.type]}" for field in fields(kind)]
        made.append(f"CREATE TABLE {table} ({', '.join(filter(None, [*columns, unique]))})")
    for table in ("records", "states"):
        made.append(
            f"CREATE TABLE {table} (condition TEXT NOT NULL, seed INTEGER NOT NULL, data BLOB NOT NULL, "
            "PRIMARY KEY (condition, seed))"
        )
    for table in ("sessions", "conditions", "episodes", "errors", "records", "states"):
        for event in ("UPDATE", "DELETE"):
            made.append(
                f"CREATE TRIGGER {table}_keeps_{event.lower()} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    return [*made, f"PRAGMA user_version = {FORMAT}"]


def insertion(kind: type[Row]) -> str:
    """SQL that adds one row; its values are those of ``to_values``."""
    names = [field.name for field in fields(kind)]
    return f"INSERT INTO {TABLES[kind][0]} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


def selection(kind: type[Row]) -> str:
    """SQL that reads rows; each is for ``from_values``."""
    return f"SELECT {', '.join(field.name for field in fields(kind))} FROM {TABLES[kind][0]}"


def to_values(row: Row) -> list:
    """A row as SQLite takes it.

    Raises:
        ValueError: if a number in it is not finite.
    """
    return [
        json.dumps(getattr(row, field.name), allow_nan=False)
        if field.type in _JSON
        else getattr(row, field.name)
        for field in fields(row)
    ]


def from_values(kind: type[Row], values: tuple) -> Row:
    """Inverse of ``to_values``."""
    plain = {}
    for field, value in zip(fields(kind), values, strict=True):
        if field.type in _JSON:
            value = json.loads(value)
        elif field.type is bool:
            value = bool(value)
        plain[field.name] = value
    return kind(**plain)
