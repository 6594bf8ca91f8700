"""Episodes of several moves, in both engines: order, scoring, wrong moves, opponents, saving in mid-game."""

import numpy as np
import pytest

from bomb.policies.expert import Expert
from core.board.goals import Intersection, Pattern
from core.board.layout import add_stones
from core.episode.record import EpisodeRecord
from core.errors import EpisodeInitializationError, StateError
from core.judge.checker import Tolerances
from core.task import Task
from core.world.stage import clean_scene
from tasks.copy_pattern import CopyPattern
from tests.conftest import play

PATTERN = Pattern(
    stones=(
        Intersection(color="black", row=0, column=0),
        Intersection(color="black", row=2, column=3),
        Intersection(color="white", row=4, column=1),
    )
)


class Choosy(Expert):
    """Sets the stones in an order of its own, or on intersections of its own."""

    def __init__(self, *goals: Intersection):
        self._goals = list(goals)

    def reset(self, instruction, seed, *, episode=None, action_spec=None):
        super().reset(instruction, seed, episode=episode, action_spec=action_spec)
        self._goal = self._goals.pop(0)

    def proceed(self, instruction, *, move=None):
        super().proceed(instruction, move=move)
        self._goal = self._goals.pop(0)


def copy(make_env, backend, **options):
    return make_env(backend, task=CopyPattern(pattern=PATTERN), stop_on_success=True, **options)


def test_a_pattern_may_be_set_in_any_order(backend, make_env):
    env = copy(make_env, backend)
    info = play(env, seed=0, policy=Choosy(*PATTERN.stones[::-1]))
    assert info["success"] and info["moves"]["done"] == 3 and not info["moves"]["wrong"]
    asked = [len(entry["goal"]["stones"]) for entry in info["moves"]["placements"]]
    assert asked == [3, 2, 1]
    assert info["moves"]["placements"][0]["board"][4][1] == 2
    assert all(entry["distance_mm"] < 3 and entry["legal"] for entry in info["moves"]["placements"])


def test_success_is_of_the_whole_and_so_is_the_reward(backend, make_env):
    env = copy(make_env, backend, max_steps=150)
    observation, _ = env.reset(seed=0)
    expert, rewards, over, move = Expert(), [], False, env.move
    expert.reset("", 0, episode=env.episode, action_spec=env.action_spec)
    while not over:
        observation, reward, terminated, over, info = env.step(
            expert.act(observation, truth=env.scene_state)[0]
        )
        rewards.append(reward)
        assert not terminated
        if env.move is not move:
            move = env.move
            expert.proceed("", move=move)
    assert 1 <= info["moves"]["done"] < 3
    assert not info["success"] and not info["success_once"] and not any(rewards)
    record = EpisodeRecord.from_bytes(env.episode_record().to_bytes())
    assert record.rejudge().to_dict() == info["placement"] and not info["placement"]["success"]


def test_a_record_of_many_moves_is_judged_again_with_other_tolerances(backend, make_env):
    env = copy(make_env, backend)
    info = play(env, seed=0)
    record = EpisodeRecord.from_bytes(env.episode_record().to_bytes())
    assert len(record.about["segments"]) == 3 and record.about["moves"] == info["moves"]
    assert record.rejudge().to_dict() == info["placement"] and info["success"]
    assert not record.rejudge(Tolerances(distance=1e-5)).success


def test_a_wrong_move_is_seen_and_ends_the_episode_if_wished(backend, make_env):
    env = copy(make_env, backend, stop_on_wrong_move=True)
    info = play(env, seed=0, policy=Choosy(Intersection(color="black", row=3, column=3)))
    (wrong,) = info["moves"]["wrong"]
    assert wrong["board"][3][3] == 1 and wrong["legal"] is False
    assert not info["success"] and info["moves"]["done"] == 0 and info["sim_time"] < 12
    env = copy(make_env, backend, max_steps=150)
    info = play(env, seed=0, policy=Choosy(Intersection(color="black", row=3, column=3)))
    assert len(info["moves"]["wrong"]) == 1 and info["sim_time"] == pytest.approx(150 / 20 + 0.5)


@pytest.mark.parametrize("task", ["tic_tac_toe", "go_sequence"])
def test_a_game_goes_on_in_the_other_engine_from_where_it_was_saved(backend, make_env, task):
    """Saved in every phase of a game, it loads into either engine; the expert plays it to its end there."""
    there = make_env("robotwin" if backend == "mujoco" else "mujoco", task=task, stop_on_success=True)
    env = make_env(backend, task=task, stop_on_success=True)
    observation, _ = env.reset(seed=3)
    expert, over, move, phases = Expert(), False, env.move, {}
    expert.reset("", 3, episode=env.episode, action_spec=env.action_spec)
    steps = 0
    while not over:
        observation, _, terminated, truncated, info = env.step(
            expert.act(observation, truth=env.scene_state)[0]
        )
        over, steps = terminated or truncated, steps + 1
        phases.setdefault((info["moves"]["done"], info["moves"]["index"], steps % 60 // 30), env.save_state())
        if not over and env.move is not move:
            move = env.move
            expert.proceed("", move=move)
    assert info["success"] and info["moves"]["done"] >= 2
    for saved in phases.values():
        _, here = env.load_state(saved)
        _, other = there.load_state(saved)
        assert env.save_state() == saved == there.save_state()
        assert here == other
    # To the end from the middle, by an expert that knows nothing of what was before.
    middle = next(saved for (done, index, _), saved in phases.items() if done == index == 1)
    observation, info = there.load_state(middle)
    expert, over, move = Expert(), False, there.move
    expert.reset("", 3, episode=there.episode, action_spec=there.action_spec)
    expert.proceed("", move=move)
    while not over:
        observation, _, terminated, truncated, info = there.step(
            expert.act(observation, truth=there.scene_state)[0]
        )
        over = terminated or truncated
        if not over and there.move is not move:
            move = there.move
            expert.proceed("", move=move)
    assert info["success"], info["placement"]["reasons"]


def test_a_state_of_another_goal_is_refused_and_nothing_moved(backend, make_env):
    env = copy(make_env, backend)
    play(env, seed=0, steps=100)
    saved = env.save_state()
    # As many stones of each colour, one of them elsewhere.
    moved = (Intersection(color="black", row=0, column=1), *PATTERN.stones[1:])
    other = make_env(backend, task=CopyPattern(pattern=Pattern(stones=moved)))
    play(other, seed=0, steps=30)
    before = other.save_state()
    with pytest.raises(StateError, match="does not fit its episode"):
        other.load_state(saved)
    assert other.save_state() == before


class Lingering(Expert):
    """Lets go of the stone and stays 25 mm above it."""

    def _retreat(self):
        up = self._commanded + [0.0, 0.0, 0.025]
        yield from self._go(up, 1.0)
        while True:
            yield from self._wait(up, 1.0, seconds=1.0)


def test_an_opponent_waits_until_the_arm_is_away(backend, make_env):
    env = make_env(backend, task="tic_tac_toe")
    info = play(env, seed=3, steps=120, policy=Lingering())
    assert info["moves"]["done"] == 1 and info["moves"]["index"] == 0
    assert not info["success"] and info["placement"]["reason"] == "unfinished"
    stones, words = len(env.scene_state.stone_ids), env.move.instruction
    for _ in range(40):
        _, _, _, _, info = env.step(np.array([0.0, 0.0, 0.3, 1.0], dtype=np.float32))
    assert info["moves"]["index"] == 1 and env.move.instruction != words
    assert len(env.scene_state.stone_ids) == stones + len(env.move.replies) == stones + 1
    assert info["placement"]["others_moved_mm"] < 0.1


def test_stones_of_an_opponent_are_at_rest(backend, make_env):
    env = make_env(backend)
    env.reset(seed=0)
    state = add_stones(clean_scene(), env.scene_state, [Intersection(color="white", row=2, column=2)])
    env.debug.backend.write_state(state)
    assert env.debug.backend.read_state() == state
    targets = np.tile(state.joint_positions.astype(float), (100, 1))
    env.debug.backend.step(targets)
    moved = abs(env.debug.backend.read_state().stone_poses[:, :3] - state.stone_poses[:, :3]).max()
    assert moved < 1e-4  # m


def test_the_pool_is_not_bottomless():
    scene = clean_scene()
    state = CopyPattern().make_episode(scene, split="ci", seed=0).state
    many = [Intersection(color="white", row=k // 5, column=k % 5) for k in range(13)]
    with pytest.raises(EpisodeInitializationError, match="the pool holds 12 white stones"):
        add_stones(scene, state, many)


class Occupied(Task):
    """Asks for a stone where one stands."""

    name = "occupied"

    def make_episode(self, scene, *, split, seed):
        from dataclasses import replace

        episode = CopyPattern(pattern=PATTERN).make_episode(scene, split=split, seed=seed)
        state = add_stones(scene, episode.state, PATTERN.stones[:1])
        move = replace(episode.moves[0], goal=PATTERN.stones[0])
        return replace(episode, state=state, moves=(move,), later_moves=1)

    def read(self, text, board):
        return ()


def test_an_occupied_goal_is_refused_at_reset(backend, make_env):
    env = make_env(backend, task=Occupied())
    with pytest.raises(EpisodeInitializationError, match="lies on the goal already"):
        env.reset(seed=0)


def test_a_single_move_is_told_as_before(backend, make_env):
    info = play(make_env(backend, stop_on_success=True), seed=1)
    assert info["moves"]["total"] == info["moves"]["done"] == 1 and info["moves"]["complete"]
