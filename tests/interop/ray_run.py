"""Run by test_ray.py, in an environment with Ray: a cluster of two nodes, one of which is lost on the way.

python ray_run.py FOLDER
"""

import json
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import ray
from ray.cluster_utils import Cluster

from bomb.evaluation import EvaluationSettings, ExecutionSettings, evaluate
from bomb.runs.rows import EpisodeRow
from bomb.runs.store import RunStore
from core.policy import BatchPolicy, Policy

NODES = 2


class Wave(BatchPolicy):
    """Noise out of (seed, step), in chunks of four; slow enough for both nodes to get something to play."""

    def infer(self, requests) -> list[np.ndarray]:
        time.sleep(0.05)
        return [
            np.random.default_rng([request.seed, request.step]).uniform(-1, 1, (4, 4)).astype(np.float32)
            for request in requests
        ]


class Slow(Policy):
    """Takes its time, so that no node plays everything before the other is up."""

    def reset(self, instruction: str, seed: int) -> None:
        pass

    def act(self, observation: dict) -> np.ndarray:
        time.sleep(0.03)
        return np.zeros((1, 4), dtype=np.float32)


def settings(policy: str, episodes: int) -> EvaluationSettings:
    return EvaluationSettings(
        policy=policy,
        backends=("mujoco", "robotwin"),
        perturbations=("clean", "friction:3"),
        episodes=episodes,
        max_steps=80,
        split="ci",
        cameras=(),
    )


def rows(folder: Path) -> list:
    with RunStore.open(folder) as store:
        return store.episodes()


def outcomes(folder: Path) -> list[dict]:
    """What does not depend on who played it."""
    return [{**asdict(row), "timing": 0, "worker": 0, "started": 0, "finished": 0} for row in rows(folder)]


def main(folder: Path) -> None:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    other = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False)
    assert len(ray.nodes()) == NODES and ray.cluster_resources()["CPU"] == NODES
    on_ray = ExecutionSettings(executor="ray")

    result = evaluate(settings("ray_run:Wave", 2), folder / "ray", execution=on_ray)
    workers = Counter(row.worker for row in rows(folder / "ray"))
    evaluate(settings("ray_run:Wave", 2), folder / "local", execution=ExecutionSettings(workers=1))
    same = outcomes(folder / "ray") == outcomes(folder / "local")

    seen: set[str] = set()

    def lose_a_node(row: object) -> None:
        # Both nodes play by then, and there is more to play.
        if len(seen) < NODES and isinstance(row, EpisodeRow):
            seen.add(row.worker)
            if len(seen) == NODES:
                cluster.remove_node(other, allow_graceful=False)

    again = evaluate(settings("ray_run:Slow", 3), folder / "lost", execution=on_ray, report=lose_a_node)
    with RunStore.open(folder / "lost") as store:
        kinds = sorted({error.kind for error in store.errors()})
    # Not printed: Ray's own words come in between.
    (folder / "said.json").write_text(
        json.dumps(
            {
                "complete": result["complete"],
                "workers": len(workers),
                "same_as_local": same,
                "after_the_loss": again["complete"],
                "episodes": [[row.condition, row.seed] for row in rows(folder / "lost")],
                "errors": kinds,
            }
        )
    )
    ray.shutdown()
    cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
