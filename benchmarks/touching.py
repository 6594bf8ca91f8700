"""What the checker says of stones that were pressed, dragged, pushed and pinched, in both engines.

Scripts that never look are played on stones that lie clear of everything. *Pushed*: a closed gripper runs
into a stone from a random side at full speed. *Pressed*: it comes down on the stone. *Dragged*: it does, and
moves aside. *Beside*: it closes with the stone outside of its fingers. *Rim*: it closes around a chord of the
stone. A stone that moved more than 10 mm was touched by something: `never_touched` must not be the reason.

    python -m benchmarks.touching --n 500 --json touching.json
"""

import sys
from collections.abc import Callable

import numpy as np

import core
from benchmarks.timing import arguments, write
from bomb.parity.play import CLEAR, Waypoint, environment, episode, named_stone, play_script, stone_row
from bomb.policies.expert import GRASP_ABOVE_MIDDLE
from bomb.policies.world import World
from bomb.statistics import rate
from core.seeding import stream
from core.task import Episode

SPLIT = "calibration"
HIGH = 0.06  # m above the grasp, where the gripper comes and goes
MOVED = 0.010  # m
PAD = 0.00875  # m, half the width of a pad (URDF)


def place(start: Episode) -> np.ndarray:
    """Where the tool would grasp the named stone, float64[3] in R (m)."""
    world = World(start.scene, start.goal, start.state)
    return world.stone(start.state, named_stone(start)) + [0.0, 0.0, GRASP_ABOVE_MIDDLE]


def up(p: np.ndarray) -> np.ndarray:
    """The point above ``p`` where the gripper comes and goes."""
    return p + [0.0, 0.0, HIGH]


def push(start: Episode, rng: np.random.Generator) -> list[Waypoint]:
    """Closed, from a random side, at full speed through the stone's place."""
    p, angle, opening = place(start), rng.uniform(0, 2 * np.pi), float(rng.choice([0.0, 0.0, 1.0]))
    run = np.array([np.cos(angle), np.sin(angle), 0.0])
    begin = p - 0.06 * run + [0, 0, rng.uniform(-0.001, 0.004)]
    return [
        Waypoint(target=up(begin), opening=opening, seconds=0.3),
        Waypoint(target=begin, opening=opening, seconds=0.3, speed=0.5),
        Waypoint(target=begin + rng.uniform(0.05, 0.10) * run, opening=opening, seconds=0.1),
        Waypoint(target=up(begin), opening=opening, seconds=0.3),
    ]


def press(start: Episode, rng: np.random.Generator) -> list[Waypoint]:
    """Closed, down on the stone's top."""
    p = place(start) + [*rng.normal(scale=0.004, size=2), 0.0]
    return [
        Waypoint(target=up(p), opening=0.0, seconds=0.4),
        Waypoint(target=p + [0, 0, rng.uniform(-0.002, 0.005)], opening=0.0, seconds=0.3, speed=0.3),
        Waypoint(target=up(p), opening=0.0, seconds=0.3),
    ]


def drag(start: Episode, rng: np.random.Generator) -> list[Waypoint]:
    """Closed, down on the stone's top, and aside."""
    *down, leave = press(start, rng)
    angle = rng.uniform(0, 2 * np.pi)
    aside = down[-1].target + 0.05 * np.array([np.cos(angle), np.sin(angle), 0.0])
    return [*down, Waypoint(target=aside, opening=0.0, seconds=0.2, speed=0.4), leave]


def beside(start: Episode, rng: np.random.Generator) -> list[Waypoint]:
    """Open beside the stone, closed, and pushed against it with both fingers' sides."""
    side = float(rng.choice([-1.0, 1.0]))
    p = place(start) + [side * (PAD + 0.011 + 0.004), rng.normal(scale=0.002), 0.0]
    return [
        Waypoint(target=up(p), opening=1.0, seconds=0.3),
        Waypoint(target=p, opening=1.0, seconds=0.2, speed=0.4),
        Waypoint(target=p, opening=0.0, seconds=0.4),
        Waypoint(target=p - [side * 0.012, 0, 0], opening=0.0, seconds=0.3, speed=0.2),
        Waypoint(target=up(p), opening=0.0, seconds=0.3),
    ]


def rim(start: Episode, rng: np.random.Generator) -> list[Waypoint]:
    """Closed around a chord of the stone, whose middle is outside of the pads, and lifted."""
    side = float(rng.choice([-1.0, 1.0]))
    p = place(start) + [side * (PAD + rng.uniform(0.002, 0.010)), 0.0, 0.0]
    return [
        Waypoint(target=up(p), opening=1.0, seconds=0.3),
        Waypoint(target=p, opening=1.0, seconds=0.2, speed=0.4),
        Waypoint(target=p, opening=0.0, seconds=0.5),
        Waypoint(target=up(p), opening=0.0, seconds=0.5),
    ]


SCRIPTS: dict[str, Callable[[Episode, np.random.Generator], list[Waypoint]]] = {
    "pushed": push,
    "pressed": press,
    "dragged": drag,
    "beside": beside,
    "rim": rim,
}


def play(name: str, backend: str, seed: int) -> dict:
    """One script in one engine: ``moved`` (m, the farthest a stone was from its start), ``up`` (m, the
    highest the named one was above it), and what the checker said.
    """
    start = episode(SPLIT, CLEAR, seed)
    env = environment(backend, SPLIT, CLEAR)
    waypoints = SCRIPTS[name](start, stream(SPLIT, seed, name))
    info = play_script(env, start, waypoints).info
    series = env.episode_record().measures["position"]
    row = stone_row(start, named_stone(start))
    return {
        "moved": float(np.linalg.norm(series - series[0], axis=-1).max()),
        "up": float((series[:, row, 2] - series[0, row, 2]).max()),
        "reason": info["placement"]["reason"],
        "reasons": info["placement"]["reasons"],
        "stage": info["stage"],
    }


def main() -> int:
    args = arguments(__doc__, n=500, seed=0)
    results: dict[str, dict] = {}
    print(
        f"{'':10}{'script':10}{'n':>6}{'moved':>8}{'untouched':>11}{'grasped':>9}{'lifted':>8}{'raised':>8}"
    )
    for backend in core.list_backends():
        for name in SCRIPTS:
            count = args.n if name == "pushed" else max(1, args.n // 10)
            played = [play(name, backend, seed) for seed in range(args.seed, args.seed + count)]
            moved = [one for one in played if one["moved"] > MOVED]
            row = {
                "n": count,
                "moved": len(moved),
                "untouched": sum("never_touched" in one["reasons"] for one in moved),
                "grasped": sum(one["stage"]["grasped"] for one in played),
                "lifted": sum(one["stage"]["lifted"] for one in played),
                "raised": sum(one["up"] > 0.02 for one in played),
            }
            row["untouched_rate"] = rate([k < row["untouched"] for k in range(len(moved))]).to_dict()
            results[f"{backend} {name}"] = row
            print(
                f"{backend:10}{name:10}"
                + "".join(
                    f"{row[key]:{w}}"
                    for key, w in (
                        ("n", 6),
                        ("moved", 8),
                        ("untouched", 11),
                        ("grasped", 9),
                        ("lifted", 8),
                        ("raised", 8),
                    )
                )
            )
    write(results, args.json)
    missed = [name for name, row in results.items() if row["untouched"]]
    print(f"\nnever_touched of a stone that moved: {missed or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
