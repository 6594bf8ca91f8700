"""Our client and servers that mean harm: ``hostile.py`` prints JSON, what became of each attack.

Each server sends one message as its hello, or says hello as it should and sends it for an answer.
"""

import json
import threading
import time
from contextlib import contextmanager

import msgpack
import numpy as np
from vla_eval.protocol import messages
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

import bomb
from core.control.actions import ActionSpec
from core.errors import BombError

SPEC = ActionSpec(mode="delta", control_hz=20)
SEEN = {"images": {}, "state": np.zeros(4, np.float32), "instruction": "Place it."}
ARRAY = {"__ndarray__": True, "data": bytes(16), "dtype": "<f4", "shape": [1, 4]}
WHOLE = {"type": "action", "payload": {"actions": ARRAY}, "seq": 3, "timestamp": 0.0}


def attacks(count: int = 100) -> list[bytes | str]:
    """Messages that no server of good will sends; the same each time."""

    def answer(**changes: object) -> bytes:
        return msgpack.packb({**WHOLE, **changes})

    def array(**changes: object) -> bytes:
        return answer(payload={"actions": {**ARRAY, **changes}})

    picture = {"__image__": True, "format": "png", "data": bytes(100), "__ndarray_image__": True}
    fixed = [
        b"", b"\xc1", "text", "x" * 100_000, b"\x91" * 5000 + b"\xc0",
        msgpack.packb(None), msgpack.packb([1]),
        array(dtype="(" * 800_000), array(dtype="f4," * 260_000), array(dtype="|O"), array(dtype={}),
        array(shape=[2**40, 2**40]), array(shape=[-1]), array(shape=[1] * 1000), array(shape="4"),
        array(data=None), array(data=[0] * 4), answer(payload={"actions": picture}), answer(payload=[1]),
        answer(payload=7), answer(payload=None), answer(payload={}),
        answer(payload={"actions": "x" * 500_000}),
        answer(payload={"actions": [["\x1b]0;mine\x07"] * 4]}), answer(payload={"actions": [[1e400] * 4]}),
        answer(payload={"actions": {}}), answer(seq=None), answer(seq=[]), answer(seq="3"), answer(seq=2**63),
        answer(seq=-5), answer(type="x" * 500_000), answer(type=[]), answer(type="hello"), bytes(2**20 + 1),
        answer(type="error", payload={"error": "\x1b[2J\n" * 100_000}), answer(type="error", payload=[]),
        answer(type="hello", payload={"action_spec": 7}, seq=1),
        answer(type="hello", payload={"action_spec": {"position": []}}, seq=1),
        answer(type="hello", payload={"action_spec": {"position": {"format": {}}}}, seq=1),
        answer(type="hello", payload={"observation_spec": {"state": "x"}}, seq=1),
        answer(type="hello", payload={"observation_params": [1]}, seq=1),
        answer(type="hello", payload={"words": "x" * 500_000}, seq=1),
        answer(type="hello", payload={1: {2: 3}, "action_spec": {5: {}}}, seq=1),
    ]  # fmt: skip
    rng, whole = np.random.default_rng(0), msgpack.packb(WHOLE)
    while len(fixed) < count:
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 4):
            damaged[place] = rng.integers(0, 256)
        fixed.append(bytes(damaged))
    return fixed


@contextmanager
def serving(hello: bytes | str, message: bytes | str, *, endless: bool = False):
    """A server that answers the first message with ``hello`` and every observation with ``message``."""

    def converse(connection) -> None:
        try:
            connection.recv()
            connection.send(hello)
            for data in connection:
                if messages.unpack_message(data).type == messages.MessageType.OBSERVATION:
                    connection.send(message)
                    while endless:
                        connection.send(message)
        except (ConnectionClosed, OSError):
            pass

    with serve(converse, "127.0.0.1", 0, compression=None) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"vla-eval://127.0.0.1:{server.socket.getsockname()[1]}?timeout=3&connect_timeout=5"
        server.shutdown()


GOOD = messages.pack_message(messages.Message(type=messages.MessageType.HELLO, payload={}, seq=1))


def asked(place: str) -> list:
    """What becomes of one question: the kind of error, its words, how long it took (s)."""
    begin, policy = time.monotonic(), None
    try:
        policy = bomb.make_policy(place)
        policy.reset("Place it.", 1, action_spec=SPEC)
        policy.act(SEEN)
        json.dumps(policy.describe())
        kind, words = "answered", ""
    except BombError as error:
        kind, words = type(error).__name__, str(error)
    finally:
        if policy is not None:
            policy.close()
    return [kind, words, time.monotonic() - begin]


def main() -> dict:
    found: dict[str, list] = {"hello": [], "answer": []}
    for message in attacks():
        with serving(message, message) as place:
            found["hello"].append(asked(place))
        with serving(GOOD, message) as place:
            found["answer"].append(asked(place))
    with serving(GOOD, msgpack.packb({**WHOLE, "seq": 1}), endless=True) as place:
        found["endless"] = asked(place)
    with serving(GOOD, msgpack.packb(WHOLE)) as place:
        found["whole"] = asked(place)
    return found


print(json.dumps(main()))
