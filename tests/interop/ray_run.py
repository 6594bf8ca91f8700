"""Run by test_ray.py, in an environment with Ray: a cluster of two nodes, one of which is lost on the way.

python ray_run.py FOLDER
"""

import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import ray
from ray.cluster_utils import Cluster

from bomb.evaluation import EvaluationSettings, ExecutionSettings, evaluate
from bomb.evaluation.store import RunStore
from core.policy import BatchPolicy

NODES = 2


class Wave(BatchPolicy):
    """Noise out of (seed, step), in chunks of four."""

    def infer(self, requests) -> list[np.ndarray]:
        return [
            np.random.default_rng([request.seed, request.step]).uniform(-1, 1, (4, 4)).astype(np.float32)
            for request in requests
        ]


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

    lost = []

    def lose_a_node(row: object) -> None:
        if not lost:
            lost.append(row)
            cluster.remove_node(other, allow_graceful=False)

    again = evaluate(settings("expert", 3), folder / "lost", execution=on_ray, report=lose_a_node)
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
