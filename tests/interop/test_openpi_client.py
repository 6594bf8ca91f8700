"""openpi-client 0.1.2 itself, in its own environment: its client on our server, our client on its codec."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import core
from bomb.integrations.openpi import codec
from bomb.integrations.openpi.mapping import mapping, serving_mapping
from bomb.integrations.openpi.pictures import resize_with_pad
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play
from core.errors import PolicyError
from core.policy import Policy
from tests.interop.conftest import ROOT, install, new_python, run
from tests.interop.openpi.answer import infer
from tests.interop.openpi.ask import request
from tests.interop.openpi.codec import value
from tests.openpi.conftest import HERE, Process
from tests.openpi.policies import Rememberer

PROGRAMS = Path(__file__).parent / "openpi"


@pytest.fixture(scope="module")
def openpi(tmp_path_factory) -> str:
    """A Python with openpi-client. It asks for numpy<2, but runs with numpy 2: so it is installed alone."""
    python = new_python(tmp_path_factory.mktemp("openpi"))
    install(python, "--no-deps", "openpi-client==0.1.2")
    install(python, "numpy", "msgpack", "websockets", "dm-tree", "pillow", "typing_extensions")
    return str(python)


@pytest.fixture
def started():
    """Processes that are killed at the end."""
    processes = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("layout", ["bomb", "libero"])
def test_its_client_and_its_broker_on_our_server(openpi, started, layout):
    server = Process("--policy", HERE + "Rememberer()", "--mapping", layout)
    started.append(server.process)
    host, _, port = server.place.rpartition(":")
    answer = json.loads(run(openpi, str(PROGRAMS / "ask.py"), host, port, layout, "3"))
    assert answer["metadata"]["bomb/mapping"] == layout and answer["metadata"]["checkpoint"] == "none"
    assert [len(keys) for keys in answer["timing"]] == [1] * 3 + [2] * 6
    # The same in this process: one look for three actions, a reset when the prompt is another.
    policy, kind, expected = Rememberer(), serving_mapping(layout), []
    for number, step in ((0, 0), (3, 1), (6, 0)):
        seen = kind.observation(request(layout, number))
        if step == 0:
            policy.reset(seen["instruction"], 0)
        expected += kind.reply(policy.act(seen, step=step)).tolist()
    assert answer["actions"] == expected


class InThisProcess(Policy):
    """What the server of ``answer.py`` computes, without the wire."""

    wants_step = True

    def reset(self, instruction, seed):
        self._seed = seed

    def act(self, observation, *, step):
        kind = mapping("libero")
        asked = {**kind.request(observation), "bomb/seed": self._seed, "bomb/step": step, "bomb/move": 0}
        spec = core.ActionSpec(mode="delta", control_hz=20)
        return kind.actions(infer(asked)["actions"], observation, spec)


@pytest.mark.parametrize("backend", core.list_backends())
def test_our_client_on_its_codec(openpi, started, backend):
    process = subprocess.Popen([openpi, str(PROGRAMS / "answer.py")], stdout=subprocess.PIPE, text=True)
    started.append(process)
    remote = make_policy(f"openpi://127.0.0.1:{int(process.stdout.readline())}?mapping=libero")
    assert remote.describe()["checkpoint"] == "openpi-client 0.1.2"
    assert remote.describe()["server"]["horizon"] == 5
    options = {"cameras": ("head", "wrist"), "image_size": (96, 128), "split": "ci", "max_steps": 20}
    with core.make_task("place_stone", backend=backend, **options) as env:
        there, here = play(env, remote, 4), play(env, InThisProcess(), 4)
        assert there.record.actions.tobytes() == here.record.actions.tobytes()
        assert there.info == here.info
        with pytest.raises(PolicyError, match="this prompt is unlucky"):
            remote.act({**env.observe(), "instruction": "Fail."}, step=20)
        assert play(env, remote, 4).info == here.info
    remote.close()


def test_the_codec_and_the_pictures(openpi, tmp_path):
    rng = np.random.default_rng(3)
    sizes = [(48, 64), (64, 48), (256, 256), (480, 640), (17, 401), (224, 224), (223, 225), (720, 1280)]
    pictures = {
        f"{height}x{width}": rng.integers(256, size=(height, width, 3), dtype=np.uint8)
        for height, width in sizes
    }
    np.savez(tmp_path / "pictures.npz", **pictures)
    (tmp_path / "ours.bin").write_bytes(codec.packb(value()))
    run(openpi, str(PROGRAMS / "codec.py"), str(tmp_path))
    ours, theirs, again = (
        (tmp_path / f"{name}.bin").read_bytes() for name in ("ours", "theirs", "ours_again")
    )
    assert ours == theirs == again == codec.packb(codec.unpackb(theirs))
    with np.load(tmp_path / "resized.npz") as resized:
        for name, picture in pictures.items():
            assert np.array_equal(resize_with_pad(picture, 224, 224), resized[name]), name


def test_the_example_of_a_policy_in_another_environment(openpi):
    """The server of the example runs where there is no BOMB."""
    with pytest.raises(AssertionError, match="No module named 'bomb'"):
        run(openpi, "-c", "import bomb")
    answer = run(sys.executable, "-m", "examples.served_policy", "--python", openpi, cwd=ROOT)
    assert "mujoco, seed 1: " in answer and "robotwin, seed 1: " in answer
