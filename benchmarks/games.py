"""How well the expert plays every task, and how far the simulators agree: ``python -m benchmarks.games``.

Per task and simulator: moves done out of moves begun, with whole episodes beside them. Then each episode's
actions are played in the other simulator; the outcomes agree if as many moves were done and both succeeded
or both failed.
"""

import argparse
import json
import time
from pathlib import Path

import core
from bomb import statistics
from bomb.policies.expert import Expert
from bomb.rollouts.rollout import play, replay


def measure(task: str, episodes: int, replays: int, seed: int) -> dict:
    """The expert's success in each simulator, and the agreement of replays."""
    backends = core.list_backends()
    envs = {
        name: core.make_task(task, backend=name, cameras=(), split="parity", stop_on_success=True)
        for name in backends
    }
    result: dict = {"task": task}
    agree, outcomes = [], {}
    for name, env in envs.items():
        start, moves, whole = time.perf_counter(), [], []
        for k in range(seed, seed + episodes):
            played = play(env, Expert(), k)
            done = played.info["moves"]["done"]
            moves += [True] * done + [False] * (not played.info["success"])
            whole.append(played.info["success"])
            outcomes[name, k] = (done, played.info["success"], played.record.actions)
        result[name] = {
            "moves": statistics.rate(moves).to_dict(),
            "episodes": statistics.rate(whole).to_dict(),
            "failed_seeds": [seed + k for k, good in enumerate(whole) if not good],
            "wall_s": round(time.perf_counter() - start, 1),
        }
    for name, other in zip(backends, backends[::-1], strict=True):
        for k in range(seed, seed + replays // len(backends)):
            done, success, actions = outcomes[name, k]
            again = replay(envs[other], k, actions).info
            agree.append((again["moves"]["done"], again["success"]) == (done, success))
    for env in envs.values():
        env.close()
    result["replay_agreement"] = statistics.rate(agree).to_dict()
    return result


def main() -> None:
    """Prints a line per task and writes all of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", action="append", choices=core.list_tasks(), help="default: all of them")
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--replays", type=int, default=40, help="half from each simulator")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    results = []
    for task in args.task or core.list_tasks():
        results.append(result := measure(task, args.episodes, args.replays, args.seed))
        for name in core.list_backends():
            moves, whole = result[name]["moves"], result[name]["episodes"]
            print(
                f"{task:14} {name:9} moves {moves['value']:.1%} of {moves['n']}, "
                f"episodes {whole['value']:.1%} of {whole['n']}, failed {result[name]['failed_seeds']}, "
                f"{result[name]['wall_s']} s"
            )
        agreement = result["replay_agreement"]
        print(f"{task:14} replay agreement {agreement['value']:.1%} of {agreement['n']}", flush=True)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
