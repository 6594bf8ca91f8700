"""``bomb policies``."""

import argparse
import inspect

from bomb.cli.tasks import first_line
from bomb.policies.making import SCHEMES, load
from core.registry import POLICIES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Takes none."""


def run(args: argparse.Namespace) -> int:
    """Prints how each policy is asked for, whether it sees the truth, and what it is."""
    for name in POLICIES.names():
        kind = POLICIES.load(name)
        sees = "privileged" if kind.privileged else "observations"
        if getattr(kind, "wraps", False):
            sees = "as inside"
        print(f"{usage(name, kind):23} {sees:13} {first_line(kind)}")
    for scheme, target in SCHEMES.items():
        kind = load(target)
        print(f"{scheme + '://HOST:PORT':23} {'observations':13} {first_line(kind)}")
    print(
        f"{'MODULE:CLASS(...)':23} {'':13} Your own subclass of core.Policy, installed or in this directory."
    )
    return 0


def usage(name: str, kind: type) -> str:
    """A policy as one types it, its arguments in brackets."""
    if getattr(kind, "wraps", False):
        return f"{name}(POLICY)"
    if getattr(kind, "takes_words", False):
        return f"{name}({getattr(kind, 'words', 'WORDS')})"
    arguments = [
        parameter.name if parameter.default is parameter.empty else f"{parameter.name}={parameter.default!r}"
        for parameter in inspect.signature(kind).parameters.values()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    return f"{name}({', '.join(arguments)})" if arguments else name
