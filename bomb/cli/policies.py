"""``bomb policies``."""

import argparse

from bomb.cli.tasks import first_line
from core.registry import POLICIES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Takes none."""


def run(args: argparse.Namespace) -> int:
    """Prints each policy, whether it sees the truth, and the first line of its documentation."""
    for name in POLICIES.names():
        policy = POLICIES.load(name)
        sees = "privileged" if policy.privileged else "observations"
        print(f"{name:12} {sees:13} {first_line(policy)}")
    return 0
