"""``bomb policies``."""

import argparse
import inspect

from bomb.cli.tasks import first_line
from bomb.policies.making import load
from bomb.policies.registry import POLICIES, SCHEMES
from core.errors import RegistrationError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Takes none."""


def run(args: argparse.Namespace) -> int:
    """Prints how each policy is asked for, whether it sees the truth, and what it is; names broken plugins.

    Returns:
        1 if a plugin is broken, else 0.
    """
    problems = {**POLICIES.problems(), **SCHEMES.problems()}
    broken = {name: str(error) for name, error in problems.items()}
    for name in POLICIES.names():
        try:
            kind = POLICIES.load(name)
        except RegistrationError as error:
            broken[name] = str(error)
            continue
        sees = "privileged" if kind.privileged else "observations"
        if getattr(kind, "wraps", False):
            sees = "as inside"
        print(f"{usage(name, kind):26} {sees:13} {first_line(kind)}")
    for scheme in SCHEMES.names():
        try:
            kind = load(SCHEMES.target(scheme))
        except RegistrationError as error:
            broken[scheme] = str(error)
            continue
        print(f"{scheme + '://HOST:PORT':26} {'observations':13} {first_line(kind)}")
    print(f"{'MODULE:CLASS(...)':26} {'':13} A subclass of core.Policy, installed or in this directory.")
    for name, message in sorted(broken.items()):
        print(f"{name:26} cannot be used: {message}")
    return 1 if broken else 0


def usage(name: str, kind: type) -> str:
    """A policy as one types it, those of its arguments that are a number or a word in brackets."""
    if getattr(kind, "wraps", False):
        return f"{name}(POLICY)"
    if getattr(kind, "takes_words", False):
        return f"{name}({getattr(kind, 'words', 'WORDS')})"
    arguments = [
        parameter.name if parameter.default is parameter.empty else f"{parameter.name}={parameter.default!r}"
        for parameter in inspect.signature(kind).parameters.values()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and (parameter.default is parameter.empty or isinstance(parameter.default, int | float | str))
    ]
    return f"{name}({', '.join(arguments)})" if arguments else name
