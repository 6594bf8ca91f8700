"""Options of verbs that draw demonstrations: which moments, and how often."""

import argparse
from typing import TypedDict


class MomentOptions(TypedDict):
    """Which moments are drawn, by the names that settings have for it."""

    every: int
    moments: int | None
    visual_draws: int


def add_moments(parser: argparse._ActionsContainer) -> None:
    """``--every``, ``--moments`` and ``--visual-draws``; see ``bomb.demonstrations.moments``."""
    parser.add_argument("--every", type=int, default=1, metavar="K", help="draw every K-th moment only")
    parser.add_argument(
        "--moments",
        type=int,
        metavar="N",
        help="draw N moments of each demonstration, spread over it; default: all",
    )
    parser.add_argument(
        "--visual-draws",
        type=int,
        default=1,
        metavar="D",
        help="draw each demonstration D times, with other draws of the knobs that are only seen and said",
    )


def moments_of(args: argparse.Namespace) -> MomentOptions:
    """What was asked for."""
    return {"every": args.every, "moments": args.moments, "visual_draws": args.visual_draws}
