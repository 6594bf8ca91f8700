"""A policy that lives in another Python environment: ``python -m examples.served_policy --python PATH``.

Starts ``examples/policy_server/server.py`` with that Python, which needs no BOMB, and plays it in both
simulators. Needs ``pip install -e '.[openpi]'``.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import bomb
import core

SERVER = Path(__file__).parent / "policy_server" / "server.py"


def main() -> None:
    """Plays two episodes in each simulator."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="with websockets, msgpack and numpy")
    python = parser.parse_args().python
    server = subprocess.Popen([python, str(SERVER), "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().strip()
        if not address:
            raise SystemExit(f"{python} could not start {SERVER}")
        policy = bomb.make_policy(address)
        for backend in core.list_backends():
            with core.make_task("place_stone", backend=backend, cameras=(), max_steps=80) as env:
                for seed in range(2):
                    placement = bomb.play(env, policy, seed).info["placement"]
                    print(f"{backend}, seed {seed}: {placement['reason']}, asked at {address}")
        policy.close()
    finally:
        server.kill()
        server.communicate()


if __name__ == "__main__":
    main()
