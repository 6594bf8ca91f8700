"""``bomb demo``."""

import argparse
import time
from pathlib import Path

from bomb.demo.results import SHIPPED
from bomb.policies.registry import POLICIES
from bomb.statistics import formats


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), metavar="DIR", help="where results go")
    parser.add_argument(
        "--episodes", type=int, default=20, metavar="N", help="of the expert, in each simulator"
    )
    parser.add_argument(
        "--parity-episodes", type=int, default=20, metavar="N", help="size of the parity sample"
    )
    parser.add_argument(
        "--policy",
        metavar="WORDS",
        help=f"plays beside the expert, from pictures; 'none': nobody; default: {SHIPPED}, if it is there",
    )
    parser.add_argument(
        "--policy-episodes", type=int, default=10, metavar="N", help="of that policy, in each simulator"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the first episode")
    parser.add_argument(
        "--timeout", type=float, default=300.0, metavar="S", help="seconds that a first picture may take"
    )
    parser.add_argument("--no-pictures", action="store_true", help="leave out pictures and the video")


def run(args: argparse.Namespace) -> int:
    """Runs the demonstration and says where the page is."""
    from bomb.demo.demo import DemoSettings, demo

    start = time.perf_counter()

    def say(words: str) -> None:
        print(f"[{formats.fixed(time.perf_counter() - start, 0):>5} s] {words}", flush=True)

    page = demo(
        DemoSettings(
            out=args.out,
            episodes=args.episodes,
            parity_episodes=args.parity_episodes,
            seed=args.seed,
            policy=chosen_policy(args.policy),
            policy_episodes=args.policy_episodes,
            pictures=not args.no_pictures,
            timeout=args.timeout,
        ),
        say,
    )
    say(f"open {page.resolve()}")
    return 0


def chosen_policy(words: str | None) -> str | None:
    """The policy that plays beside the expert; None: none.

    Raises:
        UnknownNameError, RegistrationError, OptionError: for words that name no policy.
    """
    from bomb.policies.making import policy_class

    if words is None:
        return SHIPPED if SHIPPED in POLICIES.names() else None
    if words == "none":
        return None
    policy_class(words)
    return words
