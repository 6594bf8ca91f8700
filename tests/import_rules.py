"""Who imports whom inside a house, and who includes whom in C++: what ``test_imports`` holds.

Every import counts: at the top of a file, inside a function (it still ties the two together), and under
``TYPE_CHECKING`` (a reader has to know both all the same). Strings that a registry imports later do not
count: to be named by a string and found at run time is how a room reaches what stands above it.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

COMPILED = "core._checker"  # out of csrc, which knows nothing of what stands above it


@dataclass(frozen=True)
class Edge:
    """One module of a house imports another."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def modules(root: Path, house: str) -> dict[str, Path]:
    """Name to file; a package by the name of its folder."""
    found = {}
    for file in sorted((root / house).rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def edges(root: Path, house: str) -> list[Edge]:
    """Every import of one module of a house by another."""
    known = modules(root, house)
    found = []
    for name, file in known.items():
        for line, wanted in _wanted(file):
            target = "" if f"{wanted}.".startswith(f"{COMPILED}.") else wanted
            while target and target not in known:  # "core.errors.BombError" is out of "core.errors"
                target = target.rpartition(".")[0]
            if target and target != name:
                found.append(Edge(name, target, line))
    return found


def room(module: str) -> str:
    """What stands in the order for a module: the folder or file it is in, directly below the house."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def upward(found: Sequence[Edge], order: Sequence[str]) -> list[Edge]:
    """Imports of a room that is not below, in the order from the lowest to the highest."""
    height = {name: k for k, name in enumerate(order)}
    return [
        edge
        for edge in found
        if room(edge.importer) != room(edge.imported)
        and height[room(edge.importer)] <= height[room(edge.imported)]
    ]


def circle(found: Sequence[Edge]) -> list[str]:
    """The modules of an import circle, in its order; empty if there is none."""
    graph: dict[str, set[str]] = {}
    for edge in found:
        graph.setdefault(edge.importer, set()).add(edge.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def reached(folder: Path, file: Path) -> set[str]:
    """Everything that a C++ file includes, directly or through a file of ours, as it is written."""
    found, waiting = set(), [file]
    while waiting:
        for name in re.findall(r"^\s*#\s*include\s*[<\"](.+?)[>\"]", waiting.pop().read_text(), re.MULTILINE):
            if name not in found:
                found.add(name)
                waiting += [path for path in (file.parent / name, folder / name) if path.is_file()][:1]
    return found


def parsed(file: Path) -> tuple[ast.Module, tuple[ast.AST, ...]]:
    """A file, and every node of it; the same text is parsed once, however many tests ask."""
    return _parsed(str(file), file.read_text())


@cache
def _parsed(name: str, text: str) -> tuple[ast.Module, tuple[ast.AST, ...]]:
    tree = ast.parse(text, name)
    return tree, tuple(ast.walk(tree))


def _wanted(file: Path) -> tuple[tuple[int, str], ...]:
    found: list[tuple[int, str]] = []
    for node in parsed(file)[1]:
        if isinstance(node, ast.Import):
            found += ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found += ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
    return tuple(found)
