"""What goes wrong is a typed error that says where, and the next episode can be played."""

import signal
import threading
import time
import urllib.request

import numpy as np
import pytest

from bomb.cli import main
from bomb.integrations.openpi import codec
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play
from core.control.actions import ActionSpec
from core.errors import (
    ConventionError,
    PolicyConnectionError,
    PolicyError,
    PolicyOutputError,
    PolicyTimeoutError,
)
from core.rendering.sight import Sight
from tests.conftest import PATIENCE_S
from tests.openpi.conftest import HERE, answering, scripted, served
from tests.openpi.policies import Batcher

SPEC = ActionSpec(mode="delta", control_hz=20)
SEEN = {"state": np.zeros(4, np.float32), "instruction": "Place it."}


def ask(policy, step: int = 0):
    if step == 0:
        policy.reset("Place it.", 1, action_spec=SPEC)
    return policy.act(SEEN, step=step)


def test_a_server_that_is_killed_in_mid_episode(backend, make_env, serve_process):
    env, server = make_env(backend, max_steps=40), serve_process("--policy", HERE + "Rememberer()")
    remote = make_policy(f"openpi://{server.place}")
    expected = play(env, remote, 6)

    def kill(env, info) -> None:
        if info["sim_time"] > 0.4:
            server.end()

    with pytest.raises(
        PolicyConnectionError, match=rf"openpi://{server.place}, step 9: the connection was lost"
    ):
        play(env, remote, 6, kill)
    with pytest.raises(PolicyConnectionError, match="nobody answers there"):
        play(env, remote, 6)
    again = serve_process("--policy", HERE + "Rememberer()", port=server.port)
    assert again.place == server.place
    assert play(env, remote, 6).record.actions.tobytes() == expected.record.actions.tobytes()
    remote.close()


def test_a_server_that_was_restarted_between_episodes(serve_process):
    server = serve_process("--policy", "hold")
    remote = make_policy(f"openpi://{server.place}")
    ask(remote)
    server.end()
    serve_process("--policy", "hold", port=server.port)
    assert ask(remote).tolist() == [[0, 0, 0, 1]]
    remote.close()


def test_a_server_that_is_waited_for(serve_process):
    server = serve_process("--policy", "hold")
    server.end()
    later = threading.Timer(1.0, lambda: serve_process("--policy", "hold", port=server.port))
    later.start()
    remote = make_policy(f"openpi://{server.place}?wait=30")
    later.join()
    assert ask(remote).shape == (1, 4)
    remote.close()


def test_ctrl_c_ends_the_server_cleanly(serve_process):
    server = serve_process("--policy", "hold")
    remote = make_policy(f"openpi://{server.place}")
    ask(remote)
    server.process.send_signal(signal.SIGINT)
    _, error = server.process.communicate(timeout=PATIENCE_S)
    assert server.process.returncode == 0 and "Traceback" not in error and "stopped" in error
    with pytest.raises(PolicyConnectionError, match="connection was lost"):
        ask(remote, step=1)


@pytest.mark.parametrize("how", ["nan", "flat", "fire"])
def test_a_policy_that_is_wrong_behind_a_server(how, make_env, serve):
    env, place = make_env("mujoco", max_steps=10), serve(f"{HERE}Faulty('{how}')")
    remote = make_policy(f"openpi://{place}")
    words = {
        "nan": "Faulty.act must return .* got nan in action 0, entry 2 at step 4",
        "flat": r"Faulty.act must return .* got shape \(4,\) at step 4",
        "fire": "RuntimeError: the model is on fire",
    }[how]
    reported = rf"(?s)step 4: the policy server reports an error:\nTraceback.*{words}"
    with pytest.raises(PolicyError, match=reported) as caught:
        play(env, remote, 0)
    assert place in str(caught.value) and caught.value.step == 4
    remote.reset("Place it.", 0, action_spec=SPEC)
    assert remote.act(SEEN, step=0).shape == (1, 4)
    remote.close()


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (
            {"actions": np.zeros((2, 7))},
            PolicyOutputError,
            r"step 1: actions have 7 dimensions, mapping 'bomb' has 4",
        ),
        (
            {"actions": np.full((2, 4), np.inf)},
            PolicyOutputError,
            "step 1: actions must be finite, got inf in action 0, entry 0",
        ),
        ({"actions": "all of them"}, PolicyOutputError, r"must be float\[k, 4\]"),
        (
            {"action": np.zeros((2, 4))},
            PolicyError,
            r"must be a map with 'actions', is a map with \['action'\]",
        ),
        ([1, 2], PolicyOutputError, "must be a map with 'actions', is list"),
        (b"\xc1", PolicyOutputError, "not a message of openpi's"),
        ("Traceback: no", PolicyError, "reports an error:\nTraceback: no"),
    ],
)
def test_a_server_that_answers_nonsense(reply, kind, words):
    with scripted(answering(reply, after=1)) as place:
        remote = make_policy(f"openpi://{place}")
        ask(remote)
        with pytest.raises(kind, match=words) as caught:
            ask(remote, step=1)
        assert place in str(caught.value)
        remote.close()


def test_no_answer_in_time_and_a_late_one_is_not_taken_for_the_next():
    def converse(connection) -> None:
        connection.send(codec.packb({}))
        for number, _ in enumerate(connection):
            if number == 1:
                time.sleep(1.0)
            connection.send(codec.packb({"actions": [[number, 0, 0, 1]]}))

    with scripted(converse) as place:
        remote = make_policy(f"openpi://{place}?timeout=0.3")
        assert ask(remote)[0, 0] == 0
        with pytest.raises(PolicyTimeoutError, match=rf"{place}, step 1: no answer within 0.3 s"):
            ask(remote, step=1)
        with pytest.raises(PolicyConnectionError, match="the connection was lost"):
            ask(remote, step=1)
        assert ask(remote)[0, 0] == 0
        remote.close()


@pytest.mark.parametrize(("metadata", "words"), [(["x"], "map of metadata"), ("hi", "reports an error:\nhi")])
def test_a_first_message_that_is_no_metadata(metadata, words):
    def converse(connection) -> None:
        connection.send(metadata if isinstance(metadata, str) else codec.packb(metadata))
        connection.recv()

    with scripted(converse) as place, pytest.raises(PolicyError, match=words):
        make_policy(f"openpi://{place}")


def test_a_bad_address():
    with pytest.raises(PolicyConnectionError, match=r"openpi://127\.0\.0\.1:1: nobody answers"):
        make_policy("openpi://127.0.0.1:1")
    with pytest.raises(
        PolicyConnectionError, match=r"openpi://no\.such\.host\.invalid:8000: no policy server there"
    ):
        make_policy("openpi://no.such.host.invalid")


def test_the_wrong_mapping(serve):
    place = serve(HERE + "Rememberer()", mapping_name="libero")
    with pytest.raises(ConventionError, match=rf"say openpi://{place}\?mapping=libero"):
        make_policy(f"openpi://{place}")


def test_the_wrong_action_mode(make_env, serve):
    place = serve(HERE + "Rememberer()", mapping_name="libero")
    remote = make_policy(f"openpi://{place}?mapping=libero")
    with pytest.raises(ConventionError, match="gives delta actions, the environment takes 'absolute'"):
        remote.reset("Place it.", 0, action_spec=ActionSpec(mode="absolute", control_hz=20))
    remote.close()


def test_what_the_server_looks_at_is_shown_or_refused(make_env, serve):
    words = HERE + "Looker()"
    with pytest.raises(ConventionError, match="looks at pictures of 24 x 32 pixels, and is shown 224 x 224"):
        serve(words, mapping_name="libero")
    remote = make_policy(f"openpi://{serve(words)}")
    assert Sight.of(remote) == Sight(cameras=("front",), image_size=(24, 32), modalities=("rgb", "depth"))
    with pytest.raises(ConventionError, match="looks through front, and is not shown front"):
        play(make_env("mujoco"), remote, 0)
    picture = {"front": np.zeros((32, 32, 3), np.uint8)}
    seen = {"images": picture, "depth": {"front": np.zeros((32, 32), np.float32)}}
    remote.reset("Place it.", 0, action_spec=SPEC)
    with pytest.raises(PolicyError, match="looks at pictures of 24 x 32 pixels, and is shown 32 x 32"):
        remote.act({**SEEN, **seen}, step=0)
    remote.close()


def test_the_key(monkeypatch, serve):
    place = serve("hold", api_key="sesame")
    with pytest.raises(PolicyError, match="401"):
        make_policy(f"openpi://{place}")
    monkeypatch.setenv("OPENPI_API_KEY", "sesame")
    remote = make_policy(f"openpi://{place}")
    assert ask(remote).shape == (1, 4)
    remote.close()


def test_health(serve):
    with urllib.request.urlopen(f"http://{serve('hold')}/healthz", timeout=PATIENCE_S) as answer:
        assert (answer.status, answer.read()) == (200, b"OK\n")


def test_requests_that_come_while_it_is_busy_are_answered_together():
    Batcher.sizes.clear()
    Batcher.go.clear()
    Batcher.busy.clear()
    with served(HERE + "Batcher") as (place, server):
        clients = [make_policy(f"openpi://{place}") for _ in range(4)]
        for number, client in enumerate(clients):
            client.reset("Place it.", number, action_spec=SPEC)
        answers = {}

        def act(number: int, step: int) -> None:
            try:
                answers[number] = clients[number].act(SEEN, step=step)
            except PolicyError as error:
                answers[number] = str(error)

        threads = [threading.Thread(target=act, args=(n, 666 if n == 2 else n)) for n in range(4)]
        threads[0].start()
        assert Batcher.busy.wait(20)
        for thread in threads[1:]:
            thread.start()
        until = time.monotonic() + 20
        while server.waiting < 3 and time.monotonic() < until:
            time.sleep(0.01)
        Batcher.go.set()
        for thread in threads:
            thread.join(20)
        for client in clients:
            client.close()
    # The three that waited came together; one of them was bad, so each was answered alone.
    assert Batcher.sizes == [1, 3, 1, 1, 1]
    assert "a beastly step" in answers.pop(2)
    for number, actions in answers.items():
        alone = Batcher()
        alone.reset("Place it.", number)
        assert np.allclose(actions, alone.act(SEEN, step=number))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--policy", "expert"], "'expert' is privileged: it needs the true state"),
        (["--policy", "mute(noisy_expert(0.01))"], "is privileged"),
        (["--policy", HERE + "NeedsGoalPicture('nan')"], "wants a goal picture"),
        (["--policy", "hold", "--mapping", "droid"], "mapping 'droid' is for clients"),
        (["--policy", "hold", "--mapping", "aloha"], "valid: bomb, droid, libero"),
        (["--policy", "hold", "--port", "99999"], "port must be from 0 to 65535"),
        (["--policy", "hold", "--host", "203.0.113.1"], "cannot listen at 203.0.113.1:8000"),
        (["--policy", "hodl"], "unknown policy 'hodl'"),
    ],
)
def test_what_cannot_be_served_is_one_line_and_status_2(options, words, capsys):
    assert main(["serve", *options]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
