"""The file that keeps all entries: new ones take the place of old ones with the same key."""

from collections.abc import Iterable
from pathlib import Path

from bomb.disk.files import FileError, read_json, write_json
from bomb.results.entry import Entry

FORMAT, VERSION = "bomb-results", 1


def read_book(file: Path) -> list[Entry]:
    """The entries of a file; none if it does not exist.

    Raises:
        FileError: if it is something else, or damaged.
    """
    if not file.exists():
        return []
    stored = read_json(file)
    if (stored.get("format"), stored.get("version")) != (FORMAT, VERSION):
        raise FileError(f"{file} is not of format {FORMAT!r}, version {VERSION}")
    if not isinstance(stored.get("entries"), list):
        raise FileError(f"{file} has no list of entries")
    return [Entry.from_dict(plain, str(file)) for plain in stored["entries"]]


def merged(old: Iterable[Entry], new: Iterable[Entry]) -> list[Entry]:
    """All of them, sorted; of several with the same key the newest of ``new``, else of ``old``."""
    kept = {entry.key: entry for entry in old}
    for entry in sorted(new, key=lambda entry: entry.finished):
        kept[entry.key] = entry
    return [kept[key] for key in sorted(kept)]


def write_book(file: Path, entries: Iterable[Entry]) -> None:
    """Writes the entries; the file is replaced as a whole."""
    plain = [entry.to_dict() for entry in entries]
    write_json(file, {"format": FORMAT, "version": VERSION, "entries": plain})
