"""What ``env.step`` costs beside the engine itself, without cameras.

The expert plays an episode; its joint targets are then replayed twice, through ``env.step`` and in a bare
loop as a careful user of the engine would write it by hand: set the targets, step, 25 times. The ratio of
the two is the overhead of inverse kinematics, checker, judge, observation and info together.

Time depends on caches and on other programs; the ratio of instructions (``benchmarks.instructions``) does
not, and where the machine can count them it is the one that is held to the bound.

    python -m benchmarks.step_overhead --json overhead.json
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

import core
from benchmarks import instructions
from benchmarks.timing import arguments, interleaved, reference_ms, within, write
from bomb.policies.expert import Expert
from core.world.rotations import quaternion_about_z
from core.world.state import SceneState

BOUND, BOUND_OF_INSTRUCTIONS = 1.20, 1.10
COUNTS = (1, 10, 24)


def with_stones(env: core.Environment, count: int) -> SceneState:
    """The episode's state with ``count`` stones in play: the one to be placed, the others on the board."""
    scene, goal, state = env.episode.scene, env.episode.goal, env.episode.state
    on_table = state.stone_poses[:, 2] < scene.table.height + 0.006
    meant = next(
        k
        for k, low in zip(state.stone_ids.tolist(), on_table, strict=True)
        if low and scene.stones[k].color == goal.color
    )
    cells = [(r, c) for r in range(5) for c in range(5) if abs(r - goal.row) + abs(c - goal.column) > 1]
    others = [k for k in range(len(scene.stones)) if k != meant][: count - 1]
    poses = {meant: state.stone_poses[state.stone_ids.tolist().index(meant)]}
    p_WB, pitch = np.array(scene.board.X_WB.p), scene.board.pitch
    for index, other in enumerate(others):
        if index < len(cells):
            row, column = cells[index]
            p = p_WB + [-(column - 2) * pitch, -(2 - row) * pitch, 0.004]
        else:  # more than the board holds: in a row at the table's far side
            p = np.array([0.06 * (index - len(cells)) - 0.2, 0.28, scene.table.height + 0.004])
        poses[other] = np.array([*p, *quaternion_about_z(0.1 * index)], dtype=np.float32)
    ids = sorted(poses)
    return replace(
        state,
        stone_ids=np.array(ids, dtype=np.int16),
        stone_poses=np.array([poses[k] for k in ids], dtype=np.float32),
        stone_velocities=np.zeros((count, 6), dtype=np.float32),
    )


def bare_loop(env: core.Environment) -> Callable[[np.ndarray], None]:
    """The engine's own stepping loop, by hand, over float64[25, 9] joint targets."""
    backend = env.debug.backend
    if env.backend_name == "mujoco":
        import mujoco

        model, data = backend.model, backend.data

        def step(targets: np.ndarray) -> None:
            for row in targets:
                data.ctrl[:] = row
                mujoco.mj_step(model, data)

        return step
    joints = backend.world.articulation.active_joints

    def step(targets: np.ndarray) -> None:
        system = backend.system
        for row in targets.tolist():
            for joint, target in zip(joints, row, strict=True):
                joint.set_drive_target(target)
            system.step()

    return step


def record(env: core.Environment, state: SceneState) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Plays the expert from ``state``: its actions, and the joint targets of each."""
    env.debug.restart(state)
    policy, actions, targets = Expert(), [], []
    policy.reset("", 0, episode=env.episode, action_spec=env.action_spec)
    heard = {name: getattr(env.debug.backend, name) for name in ("step", "step_traced")}

    def listen(name: str, rows: np.ndarray):
        targets.append(rows)
        return heard[name](rows)

    for name in heard:
        setattr(env.debug.backend, name, partial(listen, name))
    observation = env.observe()
    for _ in range(60):
        action = policy.act(observation, truth=env.scene_state)[0]
        actions.append(action)
        observation, *_ = env.step(action)
    for name in heard:
        delattr(env.debug.backend, name)
    return actions, targets


def overhead(backend: str, count: int | None, episodes: int) -> dict[str, float]:
    """Medians over episodes: microseconds of a step in the environment and bare, and their ratio."""
    env = core.make_task(backend=backend, cameras=(), split="calibration")
    ratios, whole, engine = [], [], []
    for seed in range(episodes):
        env.reset(seed=seed)
        state = env.episode.state if count is None else with_stones(env, count)
        actions, targets = record(env, state)
        bare = bare_loop(env)

        def play(actions=actions) -> None:
            for action in actions:
                env.step(action)

        def replay(targets=targets, bare=bare) -> None:
            for rows in targets:
                bare(rows)

        times = interleaved(
            {"env": play, "bare": replay},
            rounds=5,
            prepare={
                "env": partial(env.debug.restart, state),
                "bare": partial(env.debug.backend.write_state, state),
            },
        )
        ratios.append(np.median(times["env"] / times["bare"]))
        whole.append(np.median(times["env"]) / len(actions) * 1e6)
        engine.append(np.median(times["bare"]) / len(actions) * 1e6)
    env.close()
    return {
        "ratio": float(np.median(ratios)),
        "env_us": float(np.median(whole)),
        "bare_us": float(np.median(engine)),
    }


def main() -> int:
    args = arguments(__doc__, episodes=10)
    results: dict[str, dict] = {"overhead": {}, "stones_in_play": {}}
    print(f"reference loop {reference_ms():.1f} ms\n")
    print(f"{'':10}{'stones':>8}{'env.step us':>14}{'bare us':>10}{'ratio':>8}")
    for backend in core.list_backends():
        drawn = overhead(backend, None, args.episodes)
        results["overhead"][backend] = drawn["ratio"]
        print(f"{backend:10}{'drawn':>8}{drawn['env_us']:14.0f}{drawn['bare_us']:10.0f}{drawn['ratio']:8.2f}")
        results["stones_in_play"][backend] = {"drawn": drawn}
        for count in COUNTS:
            fixed = overhead(backend, count, max(2, args.episodes // 3))
            results["stones_in_play"][backend][str(count)] = fixed
            print(f"{'':10}{count:8}{fixed['env_us']:14.0f}{fixed['bare_us']:10.0f}{fixed['ratio']:8.2f}")
    if (lack := instructions.missing()) is not None:
        results["instructions"] = {}
        print(f"\ninstructions not counted: {lack}")
        held = within("overhead", results["overhead"], BOUND)
    else:
        print("\ninstructions decide, as time depends on what else runs; counting them takes about a minute")
        counts = {backend: instructions.counted(backend) for backend in core.list_backends()}
        results["instructions"] = counts
        print(f"\n{'':10}{'env.step, millions':>26}{'bare':>10}{'ratio':>8}")
        for backend, count in counts.items():
            print(f"{backend:10}{count['env'] / 1e6:26.2f}{count['bare'] / 1e6:10.2f}{count['ratio']:8.3f}")
        ratios = {backend: count["ratio"] for backend, count in counts.items()}
        held = within("instructions", ratios, BOUND_OF_INSTRUCTIONS)
    write(results, args.json)
    return held


if __name__ == "__main__":
    sys.exit(main())
