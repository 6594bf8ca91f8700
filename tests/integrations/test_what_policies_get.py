"""A policy learns which scene it is in by looking: no value that it is handed names the scene.

Everything that reaches a policy, an openpi server and a vla-eval server in several episodes is searched for
the scene's seed: as a number, within another number or a text, as bytes, and as a count that goes up with it.
"""

import struct
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

import bomb
from bomb.integrations.openpi import codec
from bomb.integrations.vla_eval import client
from core.seeding import PRIVATE, SPLITS, policy_seed, shuffled
from tests.integrations.witness import heard
from tests.openpi.conftest import scripted

FIRST = 735_019_840  # no such number comes about by chance
SEEDS = range(FIRST, FIRST + 6)
PUBLIC = [split for split in SPLITS if split != PRIVATE]
WITNESS = "tests.integrations.witness:Witness"


def walk(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every leaf of a nested value, keys among them, with its path; objects are looked into."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield f"{path}/key", key
            yield from walk(entry, f"{path}/{key}")
    elif isinstance(value, (list, tuple, set, frozenset)):
        for k, entry in enumerate(value):
            yield from walk(entry, f"{path}/{k}")
    elif is_dataclass(value):
        yield from walk({field.name: getattr(value, field.name) for field in fields(value)}, path)
    else:
        yield path, value


def leaks(value: object, seed: int) -> bool:
    """Whether a leaf equals or contains the seed."""
    digits, packed = str(seed), [struct.pack(form, seed) for form in ("<i", ">i")]
    if isinstance(value, np.ndarray):
        return any(form in value.tobytes() for form in packed) or (
            value.dtype.kind in "iuf" and bool((value.astype(np.float64) == seed).any())
        )
    if isinstance(value, bytes):
        return any(form in value for form in (*packed, digits.encode()))
    return digits in str(value) or hex(seed)[2:] in str(value)


def number(value: object) -> float | None:
    """A leaf as a number, where it is one."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def check(episodes: dict[int, list], *, follows: bool = True) -> None:
    """Fails if what was handed over in the episode of a seed (in order of play) tells that seed.

    Args:
        episodes: scene seed to everything that was handed over in its episode.
        follows: whether a value that grows from episode to episode as the seed does is looked for, too.
    """
    offsets: dict[str, set] = {}
    for place, (seed, got) in enumerate(episodes.items()):
        for path, value in walk(got):
            assert not leaks(value, seed), f"{path} is {value!r}, the seed {seed}"
            if number(value) is not None:
                offsets.setdefault(path, set()).add((place, number(value) - seed))
        offsets.setdefault("the order of episodes", set()).add((place, place - seed))
    if not follows:
        return
    for path, found in offsets.items():
        of_places = {place: offset for place, offset in found}
        if len(found) == len(of_places) == len(episodes):
            assert len(set(of_places.values())) > 1, f"{path} goes up with the seed"


def by_seed(calls: list[tuple], begins, seeds: list[int]) -> dict[int, list]:
    """Calls by episode, where ``begins(call)`` says that another one begins; ``seeds`` in order of play."""
    episodes: list[list] = []
    for call in calls:
        if begins(call):
            episodes.append([])
        episodes[-1].append(call)
    return dict(zip(seeds, episodes, strict=True))


def test_the_search_finds_what_it_looks_for():
    for value in (FIRST, str(FIRST), f"episode_{FIRST}", np.array([1, FIRST]), {"a": [FIRST]}, {FIRST: 0},
                  struct.pack(">i", FIRST), hex(FIRST)):  # fmt: skip
        with pytest.raises(AssertionError, match="the seed"):
            check({FIRST: [value]})
    with pytest.raises(AssertionError, match="n goes up"):
        check({FIRST + 3: [{"n": 3}], FIRST: [{"n": 0}], FIRST + 1: [{"n": 1}]})
    with pytest.raises(AssertionError, match="order of episodes"):
        check({FIRST: [], FIRST + 1: []})
    check({FIRST + 1: [{"n": 0}], FIRST: [{"n": 0}]})


def test_what_a_policy_gets(tmp_path):
    settings = bomb.EvaluationSettings(
        policy=f"{WITNESS}({str(tmp_path)!r})", backends=("mujoco",), tasks=("place_stone", "move_stone"),
        perturbations=("clean", "action_noise:2"), cameras=(), episodes=len(SEEDS), seed=FIRST,
        split="ci", max_steps=3,
    )  # fmt: skip
    folder = tmp_path / "run"
    bomb.evaluate(settings, folder, execution=bomb.ExecutionSettings(workers=1))
    calls = heard(tmp_path)
    orders = []
    for k in range(4):  # conditions, one after another
        part = [i for i, call in enumerate(calls) if call[0] == "reset"][6 * k :][:7]
        here = calls[part[0] : part[6] if len(part) == 7 else None]
        known = {policy_seed("ci", seed): seed for seed in SEEDS}
        order = [known[call[1][1]] for call in here if call[0] == "reset"]
        assert sorted(order) == list(SEEDS)
        check(by_seed(here, lambda call: call[0] == "reset", order))
        orders.append(order)
    assert len({tuple(order) for order in orders}) == 4  # what was seen under one is not a key to the next


def test_the_search_finds_infos_seed_and_no_policy_gets_an_info(tmp_path, make_env):
    """``info`` is for whoever runs the episode: it has the scene's seed, and the search finds it there.

    Neither it nor any part of it, the environment or the episode reaches a policy, at whatever depth.
    """
    env = make_env("mujoco", max_steps=3)
    _, info = env.reset(seed=FIRST)
    assert info["seed"] == FIRST and info["split"] == "ci"
    with pytest.raises(AssertionError, match="the seed"):
        check({FIRST: [info]})
    bomb.play(env, bomb.make_policy(f"{WITNESS}({str(tmp_path)!r})"), FIRST)
    calls = heard(tmp_path)
    assert [call[0] for call in calls] == ["reset", "act", "act", "act"]
    known = {"images", "depth", "segmentation", "state", "instruction"}
    for what, arguments, named in calls:
        assert set(named) == ({"step"} if what == "act" else {"action_spec", "goal_picture"})
        assert len(arguments) == (1 if what == "act" else 2)
        for path, value in walk([arguments, named]):
            assert not leaks(value, FIRST), path
            # Plain values and arrays alone: nothing that leads to the environment, the episode or an info.
            assert isinstance(value, (str, bytes, int, float, bool, np.generic, np.ndarray, type(None))), path
            assert not path.endswith("/key") or value in known | {"head"} | set(named) | {
                field.name for field in fields(env.action_spec)
            }, f"{path}: {value!r}"


def test_what_an_openpi_server_gets(make_env):
    requests = []

    def converse(connection) -> None:
        connection.send(codec.packb({}))
        for message in connection:
            requests.append(codec.unpackb(message))
            connection.send(codec.packb({"actions": [[0.0, 0.0, 0.0, 1.0]]}))

    env = make_env("mujoco", max_steps=2)
    order = shuffled(SEEDS, "any")
    with scripted(converse) as place:
        policy = bomb.make_policy(f"openpi://{place}")
        for seed in order:
            bomb.play(env, policy, seed)
        policy.close()
    episodes = by_seed(requests, lambda request: request["bomb/step"] == 0, order)
    check(episodes)
    for seed, got in episodes.items():
        assert {request["bomb/seed"] for request in got} == {policy_seed("ci", seed)}


def test_what_a_vla_eval_server_gets(make_env, monkeypatch):
    sent = []

    class Wire:
        hello: dict = {}  # noqa: RUF012 -- as a server that declares nothing

        def __init__(self, uri, **patience):
            pass

        def start_episode(self, task):
            sent.append(("start", task))

        def end_episode(self, result):
            sent.append(("end", result))

        def ask(self, observation):
            sent.append(("ask", observation))
            return {"actions": np.array([0, 0, 0, 1], np.float32)}

        def close(self):
            pass

    monkeypatch.setattr(client, "Wire", Wire)
    env = make_env("mujoco", max_steps=2)
    policy = bomb.make_policy("vla-eval://localhost:1")
    order = shuffled(SEEDS, "any")
    for seed in order:
        bomb.play(env, policy, seed)
    policy.close()
    check(by_seed([s for s in sent if s[0] != "end"], lambda call: call[0] == "start", order))
    assert all(result == {"metrics": {}} for what, result in sent if what == "end")


def test_policy_seeds_are_of_a_scene_and_differ():
    seeds = {(split, seed): policy_seed(split, seed) for split in PUBLIC for seed in range(500)}
    assert len(set(seeds.values())) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds.values())
    halves = [seed < 2**30 for seed in seeds.values()]
    assert abs(np.mean(halves) - 0.5) < 4 * 0.5 / len(halves) ** 0.5
    assert policy_seed("test", 0) == 541056084  # recorded: another value is another DRAWS


def test_shuffled_keeps_all_and_leaves_none_in_its_place():
    for count in (0, 1, 2, 3, 10, 137):
        order = shuffled(range(count), "a")
        assert sorted(order) == list(range(count))
        assert count < 2 or all(place != item for place, item in enumerate(order))
    assert shuffled(range(10), "a") == shuffled(range(10), "a") != shuffled(range(10), "b")
