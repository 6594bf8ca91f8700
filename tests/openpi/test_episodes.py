"""Episodes over real websockets end as they do in this process; connections share nothing."""

import numpy as np
import pytest

from bomb.cli import main
from bomb.policies.making import make_policy
from bomb.policies.replay import Replay
from bomb.rollouts.rollout import play
from bomb.runs.store import RunStore
from core.seeding import policy_seed
from tests.openpi.conftest import HERE

REMEMBERER = HERE + "Rememberer()"


def same(one, other) -> None:
    assert one.record.actions.tobytes() == other.record.actions.tobytes()
    assert one.record.measures.tobytes() == other.record.measures.tobytes()
    assert one.info == other.info


def test_state_alone(backend, make_env, serve_process):
    env, server = make_env(backend, max_steps=40), serve_process("--policy", REMEMBERER)
    remote = make_policy(f"openpi://{server.place}")
    for seed in (3, 4, 3):
        same(play(env, make_policy(REMEMBERER), seed), play(env, remote, seed))
    remote.close()


@pytest.mark.render
def test_pictures(backend, make_env, serve):
    env = make_env(
        backend, max_steps=12, cameras=("head", "wrist"), image_size=(48, 64), modalities=("rgb", "depth")
    )
    here, remote = make_policy(REMEMBERER), make_policy(f"openpi://{serve(REMEMBERER)}")
    same(play(env, here, 5), play(env, remote, 5))
    remote.close()


@pytest.mark.render
def test_pictures_in_liberos_layout(backend, make_env, serve):
    """Seven dimensions there and back; 224 pixels, so that nothing is resized."""
    env = make_env(backend, max_steps=6, cameras=("head", "wrist"), image_size=(224, 224))
    place = serve(REMEMBERER, mapping_name="libero")
    remote = make_policy(f"openpi://{place}?mapping=libero")
    there, here = play(env, remote, 5), play(env, make_policy(REMEMBERER), 5)
    assert np.allclose(there.record.actions, here.record.actions, atol=1e-4)
    remote.close()


def test_several_moves(backend, make_env, serve, tmp_path):
    """An expert's game, replayed by a server: it hears of every move, and the game ends the same."""
    env = make_env(backend, task="move_stone")
    played = play(env, make_policy("expert"), 2)
    assert played.info["success"] and played.info["moves"]["total"] >= 1
    files = [tmp_path / "here.npy", tmp_path / "there.npy"]
    for file in files:
        np.save(file, played.record.actions)
    remote = make_policy(f"openpi://{serve(f'{HERE}Diary({files[1]})')}")
    here, there = play(env, make_policy(f"{HERE}Diary({files[0]})"), 2), play(env, remote, 2)
    same(here, there)
    assert there.info["success"]
    diaries = [(tmp_path / f"{file.name}.diary").read_text() for file in files]
    assert diaries[0] == diaries[1] and f"reset {policy_seed('ci', 2)} " in diaries[0]
    remote.close()


def test_two_clients_at_once_share_nothing(make_env, serve):
    place = serve(REMEMBERER)
    here, there = (make_env("mujoco", max_steps=30) for _ in range(2))
    alone = [play(here, make_policy(REMEMBERER), seed) for seed in (1, 2)]
    first, second = (make_policy(f"openpi://{place}") for _ in range(2))
    results = {}

    def play_the_second(env, info) -> None:
        """In the middle of the first one's episode, once."""
        if "second" not in results and info["sim_time"] > 0.5:
            results["second"] = None
            results["second"] = play(there, second, 2)

    results["first"] = play(here, first, 1, play_the_second)
    same(results["first"], alone[0])
    same(results["second"], alone[1])
    first.close()
    second.close()


def test_the_next_connection_gets_a_policy_that_begins_anew(make_env, serve):
    env, place = make_env("mujoco", max_steps=9), serve(REMEMBERER)
    results = []
    for _ in range(2):
        remote = make_policy(f"openpi://{place}")
        results.append(play(env, remote, 8))
        remote.close()
    same(*results)


def test_a_run_over_worker_processes(serve_process, tmp_path):
    """Each worker has a connection of its own; what is recorded says what was behind the address."""
    server, run = serve_process("--policy", REMEMBERER), tmp_path / "run"
    ask = [
        "evaluate",
        "--policy",
        f"openpi://{server.place}",
        "--backend",
        "mujoco,robotwin",
        "--split",
        "ci",
    ]
    rest = ["--episodes", "2", "--max-steps", "12", "--cameras", "none", "--workers", "2", "--out", str(run)]
    assert main([*ask, *rest]) == 0
    with RunStore.open(run) as store:
        assert len(store.episodes()) == 4 and not store.errors()
        about = store.settings()["policy"]["describe"]
        assert about["mapping"]["name"] == "bomb" and about["server"]["bomb/policy"] == REMEMBERER


def test_results_say_what_was_behind_the_address(serve):
    place = serve(REMEMBERER)
    remote = make_policy(f"blind(openpi://{place}?timeout=7)")
    about = remote.describe()
    remote.close()
    assert about["address"] == f"openpi://{place}" and about["mapping"]["name"] == "bomb"
    assert about["trained_on"] == [{"split": "train"}] and about["checkpoint"] == "none"
    assert about["server"]["bomb/policy"] == REMEMBERER and about["blind"] == 0


def test_a_replay_behind_a_server_knows_the_action_mode(make_env, serve, tmp_path):
    """Served, it holds still at the end as the environment's action mode wants it."""
    np.save(tmp_path / "a.npy", [[0.5, 0.1, 0.2, 1.0]])
    place = serve(f"replay({tmp_path / 'a.npy'})")
    remote = make_policy(f"openpi://{place}")
    env = make_env("mujoco", max_steps=40, action_mode="absolute")
    same(play(env, Replay(str(tmp_path / "a.npy")), 1), play(env, remote, 1))
    assert np.allclose(env.observe()["state"][:3], [0.5, 0.1, 0.2], atol=0.005)
    remote.close()
