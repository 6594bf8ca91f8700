"""``bomb serve``."""

import argparse
import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

from bomb.policies.registry import POLICIES

if TYPE_CHECKING:
    from bomb.integrations.openpi.server import PolicyServer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    parser.add_argument(
        "--policy",
        required=True,
        metavar="POLICY",
        help=f"one of {', '.join(POLICIES.names())}, or MODULE:CLASS(...); see `bomb policies`",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="HOST", help="where to listen; 0.0.0.0: everywhere"
    )
    parser.add_argument("--port", type=int, default=8000, metavar="PORT", help="0 takes a free one")
    parser.add_argument(
        "--mapping", default="bomb", metavar="NAME", help="layout of requests and actions: bomb or libero"
    )


def run(args: argparse.Namespace) -> int:
    """Serves until Ctrl-C. With OPENPI_API_KEY set, clients must send the same key."""
    from bomb.integrations.openpi.connection import API_KEY
    from bomb.integrations.openpi.server import PolicyServer

    server = PolicyServer(
        args.policy,
        mapping_name=args.mapping,
        host=args.host,
        port=args.port,
        api_key=os.environ.get(API_KEY) or None,
    )
    asyncio.run(_until_stopped(server, f"{args.policy}, mapping {args.mapping}"))
    return 0


async def _until_stopped(server: "PolicyServer", what: str) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def end() -> None:
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)  # a second Ctrl-C ends at once

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)

    def ready(place: str) -> None:
        print(f"serving {what} at openpi://{place} (Ctrl-C ends it)", flush=True)

    await server.run(stop, ready)
    print("bomb serve: stopped", file=sys.stderr)
