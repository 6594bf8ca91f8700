"""``bomb tasks``."""

import argparse

from core.registry import TASKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Takes none."""


def run(args: argparse.Namespace) -> int:
    """Prints each task and the first line of its documentation."""
    for name in TASKS.names():
        print(f"{name:20} {first_line(TASKS.load(name))}")
    return 0


def first_line(thing: object) -> str:
    """The first line of a docstring, or an empty string."""
    return (thing.__doc__ or "").strip().partition("\n")[0]
