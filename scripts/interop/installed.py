"""Uses the installed package as a stranger would; run outside of the checkout by test_interop.sh."""

import sys
from importlib.metadata import distribution
from pathlib import Path


def check_location(checkout: Path) -> None:
    """Fails if a package is imported from the checkout instead of from the wheel."""
    import backends
    import bomb
    import core
    import tasks

    for package in (backends, bomb, core, tasks):
        if Path(package.__file__).resolve().is_relative_to(checkout):
            raise SystemExit(f"{package.__name__} comes from the checkout: {package.__file__}")


def check_entry_points() -> None:
    """Fails if an entry point of ours is missing or does not load."""
    points = distribution("board-manipulation-benchmark").entry_points
    if "bomb" not in {point.name for point in points if point.group == "console_scripts"}:
        raise SystemExit(f"the command `bomb` is not among the entry points: {list(points)}")
    for point in points:
        point.load()


def check_hold_episode(backend: str) -> None:
    """Plays an episode that does nothing, and fails unless it ends with a reason."""
    import core

    with core.make_task("place_stone", backend=backend, cameras=(), max_steps=20) as env:
        observation, _ = env.reset(seed=7)
        print(f"{backend}: {observation['instruction']}")
        ended = False
        while not ended:
            _, _, terminated, truncated, info = env.step(env.hold_action())
            ended = terminated or truncated
        if info["success"] or not info["placement"]["reason"]:
            raise SystemExit(f"{backend}: a policy that does nothing got {info['placement']}")
        print(f"{backend}: ends with {info['placement']['reason']}")


def check_gymnasium(backend: str) -> None:
    """Fails if ``gymnasium.make`` does not find the environment by its module-prefixed name."""
    import gymnasium

    env = gymnasium.make("bomb:bomb/PlaceStone-v0", backend=backend, cameras=())
    env.reset(seed=1)
    env.step(env.action_space.sample())
    env.close()


def main(checkout: str) -> None:
    """Runs every check in both engines."""
    check_location(Path(checkout).resolve())
    check_entry_points()
    import core

    for backend in core.list_backends():
        check_hold_episode(backend)
        check_gymnasium(backend)
    print("installed package: fine")


if __name__ == "__main__":
    main(sys.argv[1])
