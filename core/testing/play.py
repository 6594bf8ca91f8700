"""How a game is played: by the expert, in each simulator, with states that travel between them."""

from collections.abc import Iterable, Sequence

from core.environment import Environment
from core.make import make_task
from core.registry import Registry
from core.seeding import policy_seed
from core.task import Task
from core.testing.promise import require

# Who can play is not in ``core``: whatever is installed that offers a policy of this name.
PLAYERS = Registry("policy", "bomb.policies", {})


def check_play(task: Task, backends: Sequence[str], seeds: Iterable[int], split: str) -> None:
    """The expert does every move in each simulator; states travel between them in the middle of a game.

    Raises:
        TaskCheckError: naming the seed.
    """
    seeds = list(seeds)
    envs = [make_task(task, backend=name, cameras=(), split=split, stop_on_success=True) for name in backends]
    try:
        for seed in seeds:
            starts = [env.reset(seed=seed) for env in envs]
            for env, (observation, info) in zip(envs, starts, strict=True):
                episode, first = env.episode, starts[0]
                same = env.scene_state == envs[0].scene_state and info == first[1]
                same = same and observation["instruction"] == first[0]["instruction"]
                require(same, episode, f"{env.backend_name} gets the same episode as {envs[0].backend_name}")
            for k, env in enumerate(envs):
                _play(env, envs[k - 1], seed)
    finally:
        for env in envs:
            env.close()


def _play(env: Environment, other: Environment, seed: int) -> None:
    expert = PLAYERS.load("expert")()
    observation, info = env.reset(seed=seed)
    episode, move, over, steps = env.episode, env.move, False, 0
    own_seed = policy_seed(episode.split, episode.seed)
    expert.reset(observation["instruction"], own_seed, episode=episode, action_spec=env.action_spec)
    while not over:
        observation, _, terminated, truncated, info = env.step(
            expert.act(observation, truth=env.scene_state)[0]
        )
        over, steps = terminated or truncated, steps + 1
        began = env.move is not move
        if began and not over:
            expert.proceed(observation["instruction"], move=env.move)
        if (began or steps == 25) and not over:
            _check_saving(env, other)
        move = env.move
    require(
        info["success"],
        episode,
        f"the expert does every move in {env.backend_name}; it did {info['moves']['done']} of at most "
        f"{episode.max_moves}: {info['placement']['reasons']}",
    )
    record = env.episode_record()
    require(
        record.rejudge().to_dict() == record.about["verdict"], episode, "a record is judged again the same"
    )


def _check_saving(env: Environment, other: Environment) -> None:
    saved = env.save_state()
    if other is not env:
        _, there = other.load_state(saved)
        require(
            other.save_state() == saved,
            env.episode,
            f"{other.backend_name} loads what {env.backend_name} saves",
        )
        # The series of measures does not travel, so the game itself goes on undisturbed.
        require(
            there["moves"] == env.info()["moves"], env.episode, "a loaded game is as far as the saved one"
        )
