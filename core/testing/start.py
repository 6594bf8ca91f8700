"""How an episode begins: the same for the same seed, with stones apart and at rest."""

from collections.abc import Iterable

import numpy as np

from core.task import Episode, Task
from core.testing.promise import require
from core.world.rotations import matrix_from_quaternion
from core.world.scene import SceneSpec


def check_seeding(task: Task, scene: SceneSpec, seeds: Iterable[int], split: str) -> None:
    """The same seed gives the same episode, other seeds and other splits another.

    Raises:
        TaskCheckError: naming the seed.
    """
    first = [task.make_episode(scene, split=split, seed=seed) for seed in seeds]
    again = [task.make_episode(scene, split=split, seed=seed) for seed in seeds]
    for one, other in zip(first, again, strict=True):
        same = (one.moves, one.later_moves) == (other.moves, other.later_moves) and one.state == other.state
        require(same, one, "the same seed gives the same episode")
        require(one.task == task.name, one, f"episodes carry the task's name {task.name!r}")
    if len(first) > 1:
        require(
            len({e.state.to_bytes() for e in first}) > 1, first[0], "different seeds give different layouts"
        )
    elsewhere = task.make_episode(scene, split="train" if split != "train" else "test", seed=first[0].seed)
    require(elsewhere.state != first[0].state, first[0], "another split gives another episode")


def check_layout(episode: Episode) -> None:
    """Stones are apart, at rest on the board or beside it on the table.

    Raises:
        TaskCheckError: naming the seed.
    """
    scene, state = episode.scene, episode.state
    p = state.stone_poses[:, :3].astype(np.float64)
    distances = np.linalg.norm(p[:, None] - p[None], axis=-1) + np.eye(len(p))
    require(distances.min() >= 2 * scene.stones[0].radius, episode, "no two stones overlap")
    half = scene.stones[0].height / 2
    heights = np.array([scene.table.height, scene.board.X_WB.p[2]]) + half
    lifted = abs(p[:, 2:] - heights).min(axis=1) > 5e-4
    require(not lifted.any(), episode, "stones lie on the table or on the board")
    R_WB = matrix_from_quaternion(scene.board.X_WB.q)
    p_B = (p - scene.board.X_WB.p) @ R_WB
    loose = p[:, 2] < heights.mean()
    clear = abs(p_B[:, :2]).max(axis=1) >= scene.board.width / 2 + scene.stones[0].radius
    require(clear[loose].all(), episode, "stones on the table lie beside the board, wherever that is")
