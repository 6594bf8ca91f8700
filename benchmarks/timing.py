"""What the benchmarks share: a reference loop, interleaved timing, tables and JSON."""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

STANDARD_OUTPUT = Path("-")


def reference_ms() -> float:
    """Milliseconds of a fixed loop of plain Python: how fast this machine is just now."""
    begin, total = time.perf_counter(), 0
    for k in range(200_000):
        total += k
    return (time.perf_counter() - begin) * 1e3


def nothing() -> None:
    """What needs no preparation."""


def interleaved(
    calls: dict[str, Callable[[], None]], rounds: int, prepare: dict[str, Callable[[], None]] | None = None
) -> dict[str, np.ndarray]:
    """Seconds of every call in every round, float64[rounds]; in turn, so that noise hits all alike.

    ``prepare`` names what runs, untimed, before a call. One more round goes first, to warm up.
    """
    times = {name: np.empty(rounds + 1) for name in calls}
    for k in range(rounds + 1):
        for name, call in calls.items():
            (prepare or {}).get(name, nothing)()
            begin = time.perf_counter()
            call()
            times[name][k] = time.perf_counter() - begin
    return {name: seconds[1:] for name, seconds in times.items()}


def arguments(doc: str, **defaults: int) -> argparse.Namespace:
    """``--json FILE`` and an integer option for each of ``defaults``.

    Where the file is ``-``, the JSON goes to standard output, and everything else that is printed from here
    on to standard error.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value, help=f"default {value}")
    parser.add_argument("--json", type=Path, help="file for the results, or - for standard output")
    args = parser.parse_args()
    if args.json == STANDARD_OUTPUT:
        sys.stdout = sys.stderr
    return args


def within(name: str, values: dict[str, float], bound: float) -> int:
    """0 if every value is at most the bound; else 1, after naming those that are not."""
    missed = {key: value for key, value in values.items() if value > bound}
    if missed:
        print(f"\n{name} missed: at most {bound} is allowed, got {missed}")
    return 1 if missed else 0


def write(results: dict, file: Path | None) -> None:
    """Writes the results with what they were measured on."""
    if file is None:
        return
    machine = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "reference_ms": reference_ms(),
    }
    text = json.dumps({**results, "measured_on": machine}, indent=2) + "\n"
    if file == STANDARD_OUTPUT:
        print(text, end="", file=sys.__stdout__)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
