"""Options that several verbs take."""

import argparse
from pathlib import Path

from core.errors import OptionError
from core.registry import BACKENDS
from core.seeding import PRIVATE, PrivateSplit


def names(text: str, option: str) -> tuple[str, ...]:
    """Comma-separated names.

    Raises:
        OptionError: if one is empty.
    """
    found = tuple(name.strip() for name in text.split(","))
    if not all(found):
        raise OptionError(f"{option} must be comma-separated names, got {text!r}")
    return found


def held_out_sets(text: str) -> tuple[str, ...]:
    """Comma-separated names out of ``core.perturbations.heldout.HELD_OUT``, or ``none``.

    Raises:
        UnknownNameError: for another name, listing the valid ones.
    """
    from core.perturbations.heldout import check_held_out

    return () if text == "none" else check_held_out(names(text, "--hold-out"))


def knobs(text: str | None) -> list[str] | None:
    """Perturbations and presets joined by ``+``, as in `bomb evaluate`, or by commas; None: none.

    Raises:
        OptionError: if one is empty.
    """
    return None if text is None else list(names(text.replace("+", ","), "--perturbations"))


def add_drawn_episode(parser: argparse.ArgumentParser) -> None:
    """``--backend``, ``--seed`` and ``--split``: of an episode that is drawn in several simulators."""
    parser.add_argument(
        "--backend",
        action="append",
        metavar="NAME",
        help=f"one of {', '.join(BACKENDS.names())}; may be given again; default: all of them",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the episode")
    parser.add_argument("--split", default="test", metavar="NAME", help="which family of seeds")


def add_salt(parser: argparse._ActionsContainer) -> None:
    """Adds ``--salt FILE``; see ``salted``."""
    parser.add_argument(
        "--salt", type=Path, metavar="FILE", help="the secret that scenes of the split private are drawn from"
    )


def salted(split: str, salt: Path | None) -> str:
    """The split, with the salt of ``--salt`` where it has one.

    Raises:
        OptionError: for a salt of another split, or one that cannot be read.
    """
    if salt is None:
        return split
    if split != PRIVATE:
        raise OptionError(f"--salt is for the split {PRIVATE!r}, not {split!r}")
    return PrivateSplit.read(salt)
