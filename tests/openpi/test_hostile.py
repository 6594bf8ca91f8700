"""A hundred hostile messages to each server, and servers that are hostile to their clients."""

import threading
import time

import msgpack
import numpy as np
import pytest

from bomb.integrations.openpi import codec
from bomb.policies.making import make_policy
from core.control.actions import ActionSpec
from core.errors import PolicyConnectionError, PolicyError, PolicyOutputError, PolicyTimeoutError
from tests.openpi.conftest import HERE, scripted, served

SPEC = ActionSpec(mode="delta", control_hz=20)
SEEN = {"state": np.zeros(4, np.float32), "instruction": "Place it."}
ARRAY = {b"__ndarray__": True, b"data": bytes(16), b"dtype": "<f4", b"shape": [4]}
GOOD = {"observation/state": ARRAY, "prompt": "Place it."}


def hostile_messages(count: int = 100):
    """Bytes and texts that no client of good will sends; the same each time."""
    rng = np.random.default_rng(0)
    nested = b"\x91" * 5000 + b"\xc0"
    fixed = [
        b"", b"\xc1", nested, "text", "x" * 100_000, msgpack.packb(None), msgpack.packb([1, 2]),
        msgpack.packb({"observation/state": {**ARRAY, b"dtype": "(" * 800_000}}),
        msgpack.packb({"observation/state": {**ARRAY, b"dtype": "f4," * 260_000}}),
        msgpack.packb({**GOOD, "observation/state": {**ARRAY, b"shape": [2**40, 2**40]}}),
        msgpack.packb({**GOOD, "observation/state": {**ARRAY, b"shape": [-1]}}),
        msgpack.packb({**GOOD, "observation/state": {**ARRAY, b"shape": [1] * 1000}}),
        msgpack.packb({**GOOD, "observation/state": {**ARRAY, b"dtype": "|O"}}),
        msgpack.packb({**GOOD, "observation/state": {**ARRAY, b"dtype": {}}}),
        msgpack.packb({**GOOD, "observation/state": {b"__npgeneric__": True, b"dtype": "<f4", b"data": []}}),
        msgpack.packb({**GOOD, "prompt": 7}), msgpack.packb({**GOOD, "prompt": None}),
        msgpack.packb({**GOOD, "bomb/seed": -1}), msgpack.packb({**GOOD, "bomb/seed": 2**64 - 1}),
        msgpack.packb({**GOOD, "bomb/episode_id": [[]]}), msgpack.packb({**GOOD, "bomb/action_mode": []}),
        msgpack.packb({**GOOD, "bomb/control_hz": 0}), msgpack.packb({**GOOD, "bomb/step": 1.5}),
        msgpack.packb({**GOOD, "observation/images/head": "picture"}),
    ]  # fmt: skip
    whole = msgpack.packb(GOOD)
    while len(fixed) < count:
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 4):
            damaged[place] = rng.integers(0, 256)
        fixed.append(bytes(damaged))
    return fixed


def test_a_server_outlives_a_hundred_hostile_messages_and_serves_others_meanwhile():
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    with served("hold") as (place, _):
        friend = make_policy(f"openpi://{place}?timeout=20")
        friend.reset("Place it.", 1, action_spec=SPEC)
        for step, message in enumerate(hostile_messages()):
            with connect(f"ws://{place}", compression=None, proxy=None) as enemy:
                enemy.recv(timeout=20)
                enemy.send(message)
                try:
                    answer = enemy.recv(timeout=20)
                except ConnectionClosed:
                    answer = ""
                assert isinstance(answer, str) or codec.unpackb(answer)["actions"].shape == (1, 4)
                assert len(answer) < 50_000
            if step % 10 == 0:
                assert friend.act(SEEN, step=step).tolist() == [[0, 0, 0, 1]]
        friend.close()


def test_a_message_without_end_is_cut_off():
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    def fragments():
        for _ in range(2 * codec.LARGEST // 2**20):
            yield bytes(2**20)

    with served("hold") as (place, _):
        with connect(f"ws://{place}", compression=None, proxy=None, close_timeout=1) as enemy:
            enemy.recv(timeout=20)
            with pytest.raises((ConnectionClosed, OSError)):
                enemy.send(fragments())
                enemy.recv(timeout=20)
        policy = make_policy(f"openpi://{place}")
        policy.reset("Place it.", 1, action_spec=SPEC)
        assert policy.act(SEEN, step=0).shape == (1, 4)
        policy.close()


@pytest.mark.parametrize("message", hostile_messages(40))
def test_a_client_outlives_what_a_server_answers(message):
    def converse(connection) -> None:
        connection.send(codec.packb({}))
        for _ in connection:
            connection.send(message)

    with scripted(converse) as place:
        policy = make_policy(f"openpi://{place}?timeout=20")
        policy.reset("Place it.", 1, action_spec=SPEC)
        with pytest.raises(PolicyError) as caught:
            policy.act(SEEN, step=0)
        assert len(str(caught.value)) < 25_000
        policy.close()


def test_a_server_that_does_not_read_stalls_nobody_beyond_the_time_limit():
    release = threading.Event()

    def converse(connection) -> None:
        connection.send(codec.packb({}))
        release.wait(30)

    picture = {"head": np.zeros((2048, 2048, 3), np.uint8)}
    with scripted(converse) as place:
        policy = make_policy(f"openpi://{place}?timeout=0.5")
        policy.reset("Place it.", 1, action_spec=SPEC)
        with pytest.raises(PolicyTimeoutError, match=r"no answer within 0\.5 s"):
            policy.act({**SEEN, "images": picture}, step=0)
        release.set()
        policy.close()


def test_an_answer_too_many_is_not_taken_for_the_next():
    asked = threading.Semaphore(0)

    def converse(connection) -> None:
        connection.send(codec.packb({}))
        for number, _ in enumerate(connection):
            for _ in range(2):
                connection.send(codec.packb({"actions": [[number, 0, 0, 1]]}))
            asked.release()

    with scripted(converse) as place:
        policy = make_policy(f"openpi://{place}")
        policy.reset("Place it.", 1, action_spec=SPEC)
        assert policy.act(SEEN, step=0)[0, 0] == 0
        assert asked.acquire(timeout=20)
        time.sleep(0.05)
        with pytest.raises(PolicyOutputError, match="an answer that nobody asked for"):
            policy.act(SEEN, step=1)
        policy.reset("Place it.", 2, action_spec=SPEC)
        assert policy.act(SEEN, step=0)[0, 0] == 0
        policy.close()


def test_an_answer_to_another_request_is_told_by_what_it_repeats():
    def converse(connection) -> None:
        connection.send(codec.packb({}))
        for _ in connection:
            connection.send(codec.packb({"actions": [[0, 0, 0, 1]], "bomb/step": 7}))

    with scripted(converse) as place:
        policy = make_policy(f"openpi://{place}")
        policy.reset("Place it.", 1, action_spec=SPEC)
        with pytest.raises(PolicyOutputError, match="to another request"):
            policy.act(SEEN, step=0)
        policy.close()
    with served(HERE + "Rememberer()") as (place, _):
        policy = make_policy(f"openpi://{place}")
        policy.reset("Place it.", 1, action_spec=SPEC)
        assert len(policy.act(SEEN, step=0))
        policy.close()


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (msgpack.packb({"a": "x" * 1_000_000}), "its metadata has 1000"),
        (b"\x81\xa1a" + b"\x91" * 900 + b"\xc0", "its metadata cannot be read|not a message"),
    ],
)
def test_hostile_metadata_is_said_in_one_line(metadata, words):
    def converse(connection) -> None:
        connection.send(metadata)
        connection.recv()

    with scripted(converse) as place, pytest.raises(PolicyError, match=words) as caught:
        make_policy(f"openpi://{place}").describe()
    assert isinstance(caught.value, PolicyConnectionError | PolicyOutputError) and "\n" not in str(
        caught.value
    )
