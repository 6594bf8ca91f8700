"""``bomb backends``."""

import argparse

from core.errors import RegistrationError
from core.registry import BACKENDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Takes none."""


def run(args: argparse.Namespace) -> int:
    """Prints each backend and what it can do; a plugin that cannot be imported says why."""
    broken = False
    for name in BACKENDS.names():
        try:
            capabilities = BACKENDS.load(name).capabilities
        except RegistrationError as error:
            broken = True
            print(f"{name:12} BROKEN: {error}")
            continue
        print(f"{name:12} {', '.join(sorted(capability.value for capability in capabilities))}")
    return int(broken)
