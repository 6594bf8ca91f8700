"""``bomb tasks``."""

import argparse

from core.errors import RegistrationError
from core.registry import TASKS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Takes none."""


def run(args: argparse.Namespace) -> int:
    """Prints each task and the first line of its documentation, and names the plugins that are broken.

    Returns:
        1 if a plugin is broken, else 0.
    """
    broken = {name: str(error) for name, error in TASKS.problems().items()}
    for name in TASKS.names():
        try:
            print(f"{name:20} {first_line(TASKS.load(name))}")
        except RegistrationError as error:
            broken[name] = str(error)
    for name, message in sorted(broken.items()):
        print(f"{name:20} cannot be used: {message}")
    return 1 if broken else 0


def first_line(thing: object) -> str:
    """The first line of a docstring, or an empty string."""
    return (thing.__doc__ or "").strip().partition("\n")[0]
