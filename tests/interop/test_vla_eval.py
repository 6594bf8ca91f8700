"""BOMB and vla-evaluation-harness 0.8.0, in an environment that has both, over real websockets.

Its command line runs BombBenchmark from the YAML files of examples/ against model servers made of its own
classes; `vla-eval://` asks such servers from BOMB. The servers play what the expert did, so it is known to
the last digit how each episode ends.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import BACKENDS
from tests.interop.conftest import ROOT, install, new_python, run

HERE = Path(__file__).parent / "vla_eval"
EXAMPLES = ROOT / "examples" / "vla_eval"
FIRST, COUNT, BLOCK = 40, 2, 10
RECORDED = ("split=ci", f"seed={FIRST}", "stop_on_success=true", "perturbations=[null]")

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def python(tmp_path_factory, wheel) -> Path:
    """The Python of an environment with BOMB and vla-eval."""
    python = new_python(tmp_path_factory.mktemp("vla_eval"))
    install(python, f"{wheel}[vla-eval]")
    return python


@pytest.fixture(scope="module")
def recorded(python, tmp_path_factory) -> Path:
    """A folder with the expert's actions, and how they end."""
    folder = tmp_path_factory.mktemp("recorded")
    run(str(python), str(HERE / "record.py"), str(folder), str(FIRST), str(BLOCK), cwd=folder)
    return folder


def expected(recorded: Path, kind: str) -> dict:
    return json.loads((recorded / "expected.json").read_text())[kind]


@contextmanager
def serving(python: Path, *words: str) -> Iterator[str]:
    """A model server in a process of its own; yields its address."""
    command = [str(python), str(HERE / "servers.py"), *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait(timeout=20)


def vla_eval(python: Path, url: str, out: Path, file: str, *params: str, episodes: int = COUNT) -> list[str]:
    """The command line of vla-eval: BOMB's benchmark against a server."""
    parameters = [word for param in params for word in ("--param", param)]
    return [
        *(str(python.parent / "vla-eval"), "run", "--no-docker", "--config", str(EXAMPLES / file)),
        *("--server-url", url, "--output-dir", str(out)),
        *("--benchmark-field", f"episodes_per_task={episodes}", *parameters),
    ]


def results(out: Path) -> dict[str, dict]:
    """By simulator what vla-eval wrote."""
    found = [json.loads(file.read_text()) for file in out.rglob("*.json")]
    return {result["config"]["params"]["backend"]: result for result in found if "tasks" in result}


def test_recorded_actions_end_as_known_in_both_simulators(python, recorded, tmp_path):
    with serving(python, "Recorded", str(recorded / "actions.npz")) as url:
        run(*vla_eval(python, url, tmp_path, "place_stone.yaml", *RECORDED, "cameras=[]"), cwd=tmp_path)
    found = results(tmp_path)
    assert set(found) == set(BACKENDS)
    for backend, result in found.items():
        (task,) = result["tasks"]
        assert task["task"] == "place_stone, clean" and not task.get("num_errors")
        assert result["mean_success"] == result["mean_grasped"] == 1.0
        for episode in task["episodes"]:
            metrics = episode["metrics"]
            known = expected(recorded, "exact")[backend][str(seed_of(python, episode))]
            assert {key: metrics[key] for key in known} == known
            assert metrics["stages"]["lifted"] is True and metrics["clipped"] == 0
    check_heard(recorded / "actions.npz.heard")


def check_heard(file: Path) -> None:
    """Nothing that a server was told about its episodes names the scene."""
    for line in file.read_text().splitlines():
        what, got = json.loads(line)
        if what == "start":
            task = got["task"]
            assert task["seed"] == task["episode_idx"] >= FIRST + BLOCK and "first_seed" not in task
        assert "seed" not in got.get("metrics", {})


def seed_of(python: Path, episode: dict) -> int:
    """The scene's seed of an episode out of vla-eval's results, as docs/vla_eval.md says."""
    words = "from bomb.integrations.vla_eval.benchmark import episode_seed; print(episode_seed({}, {}))"
    return int(run(str(python), "-c", words.format(FIRST, episode["episode_id"])))


@pytest.mark.render
def test_seven_numbers_become_four_with_pictures(python, recorded, tmp_path):
    with serving(python, "Libero", str(recorded / "actions.npz")) as url:
        # The server asks for the wrist camera, which the file does not list here.
        params = (*RECORDED, "image_size=32", "cameras=[head]", "camera_names=[agentview,wrist]")
        run(*vla_eval(python, url, tmp_path, "seven_numbers.yaml", *params), cwd=tmp_path)
    for backend, result in results(tmp_path).items():
        (task,) = result["tasks"]
        assert not task.get("num_errors"), task
        for episode in task["episodes"]:
            known = expected(recorded, "binary")[backend][str(seed_of(python, episode))]
            assert {key: episode["metrics"][key] for key in known} == known
    assert any(known["success"] for known in expected(recorded, "binary")["mujoco"].values())


@pytest.mark.render
def test_the_shipped_file_runs_as_it_is_but_shorter(python, tmp_path):
    with serving(python, "Random") as url:
        command = vla_eval(
            python, url, tmp_path, "place_stone.yaml", "max_steps=6", "image_size=32", episodes=1
        )
        run(*command, "--render", "cpu", "--record-video", cwd=tmp_path)
    for result in results(tmp_path).values():
        assert {task["task"] for task in result["tasks"]} == {"place_stone, clean", "place_stone, bomb:3"}
        for task in result["tasks"]:
            assert not task.get("num_errors")
            assert task["episodes"][0]["steps"] == 6
            assert task["episodes"][0]["metrics"]["reason"] == "never_reached"
    assert len(list(tmp_path.rglob("*.mp4"))) == 4


def test_live_mode_holds_where_it_is(python, tmp_path):
    """Nothing comes in time: what is held must not move the arm."""
    with serving(python, "Slow") as url:
        command = vla_eval(python, url, tmp_path, "place_stone.yaml", "cameras=[]", "perturbations=[null]",
                           "max_steps=20", episodes=1)  # fmt: skip
        live = [word for field in ("mode=live", "hz=20") for word in ("--benchmark-field", field)]
        run(*command, *live, cwd=tmp_path)
    for result in results(tmp_path).values():
        (episode,) = result["tasks"][0]["episodes"]
        assert episode["steps"] == 20 and episode["metrics"]["reason"] == "never_reached"


@pytest.mark.parametrize(
    ("kind", "params", "words"),
    [
        ("Libero", ("cameras=[head,wrist]", "state=axis_angle"), "gripper: the server declares"),
        ("Libero", ("rotation=ignored", "gripper=binary_close_positive"), "eef_pos3_axisangle3_gripper2"),
        ("Recorded", ("action_mode=absolute",), "position: the server declares 'delta_xyz'"),
        ("Wrist", (), "wrist: the server asks for it"),
    ],
)
def test_a_server_that_means_something_else_ends_the_run(python, recorded, tmp_path, kind, params, words):
    arguments = [str(recorded / "actions.npz")] if kind != "Wrist" else []
    with serving(python, kind, *arguments) as url:
        command = vla_eval(python, url, tmp_path, "place_stone.yaml", *params)
        answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert answer.returncode != 0
    assert "ConventionError" in answer.stderr and words in answer.stderr
    assert not results(tmp_path)


@pytest.mark.parametrize(("kind", "words"), [("Undeclared", "take 7"), ("Chunks", "chunk_size")])
def test_what_was_not_declared_is_an_error_of_the_episode(python, tmp_path, kind, words):
    with serving(python, kind) as url:
        run(*vla_eval(python, url, tmp_path, "place_stone.yaml", "cameras=[]", "perturbations=[null]",
                      "max_steps=5", episodes=1), cwd=tmp_path)  # fmt: skip
    for result in results(tmp_path).values():
        (episode,) = result["tasks"][0]["episodes"]
        assert episode["failure_reason"] == "env_step" and words in episode["failure_detail"]


# ---- BOMB asks their servers ------------------------------------------------------------------


def play(python: Path, words: str, backend: str, *rest: object) -> dict:
    """What our client makes of a server."""
    output = run(str(python), str(HERE / "play.py"), words, backend, *map(str, rest))
    (answer,) = (line for line in output.splitlines() if line.startswith("{"))  # engines print, too
    return json.loads(answer)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_client_plays_what_a_server_says(python, recorded, backend):
    with serving(python, "Recorded", str(recorded / "actions.npz")) as url:
        answer = play(python, url.replace("ws", "vla-eval", 1), backend, FIRST, COUNT)
    assert answer["episodes"] == some(expected(recorded, "exact")[backend])
    assert answer["describe"]["hello"]["model_server"] == "Recorded"
    assert answer["describe"]["hello"]["harness_version"] == "0.8.0"
    assert answer["describe"]["hello"]["action_spec"]["gripper"]["format"] == "continuous_01"
    assert answer["describe"]["gripper"] == "continuous_01"


def some(known: dict) -> dict:
    """What is known of the episodes that the client plays."""
    return {str(seed): known[str(seed)] for seed in range(FIRST, FIRST + COUNT)}


LIBERO = "rotation=ignored&gripper=binary_close_positive&state=axis_angle&names=agentview,wrist"


@pytest.mark.render
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_client_understands_seven_numbers_and_sends_pictures(python, recorded, backend):
    with serving(python, "Libero", str(recorded / "actions.npz")) as url:
        answer = play(python, f"{url.replace('ws', 'vla-eval', 1)}?{LIBERO}", backend, FIRST, COUNT,
                      "cameras=('head','wrist')", "image_size=(32,32)")  # fmt: skip
    assert answer["episodes"] == some(expected(recorded, "binary")[backend])


def test_the_client_refuses_an_environment_of_another_action_mode(python):
    with serving(python, "Random") as url:
        answer = play(python, url.replace("ws", "vla-eval", 1), "mujoco", 0, 1, "action_mode='absolute'")
    name, message = answer["episodes"]["0"]["error"]
    assert name == "ConventionError" and "'delta'" in message and "'absolute'" in message


def test_the_client_carries_out_chunks(python):
    with serving(python, "Chunks") as url:
        answer = play(python, url.replace("ws", "vla-eval", 1), "mujoco", 0, 1, "max_steps=12")
    assert answer["episodes"]["0"]["reason"] == "never_reached"


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("Libero", "", "gripper: the server declares 'binary_close_positive'"),
        ("Libero", "?rotation=ignored&gripper=binary_close_positive", "eef_pos3_axisangle3_gripper2"),
        ("Libero", f"?{LIBERO}&action_mode=absolute", "position: the server declares 'delta_xyz'"),
        ("Libero", f"?{LIBERO.replace('axis_angle', 'none')}", "state: the server asks for it"),
    ],
)
def test_the_client_refuses_a_server_that_means_something_else(python, recorded, kind, options, words):
    with serving(python, kind, str(recorded / "actions.npz")) as url:
        answer = play(python, url.replace("ws", "vla-eval", 1) + options, "mujoco", 0, 1)
    name, message = answer["error"]
    assert name == "ConventionError" and words in message


@pytest.mark.parametrize(
    ("kind", "options", "error", "words"),
    [
        ("Failing", "", "PolicyError", "out of memory"),
        ("Slow", "?timeout=0.5", "PolicyTimeoutError", "did not answer within 0.5 s"),
        ("Dying", "?connect_timeout=1", "PolicyConnectionError", "is gone"),
        ("Undeclared", "", "PolicyOutputError", "shape"),
        ("Wrist", "", "ConventionError", "looks through wrist, and is not shown wrist"),
    ],
)
def test_a_failing_server_is_an_error_of_the_episode(python, kind, options, error, words):
    with serving(python, kind) as url:
        answer = play(python, url.replace("ws", "vla-eval", 1) + options, "mujoco", 0, 2, "max_steps=5")
    name, message = answer["episodes"]["0"]["error"]
    assert name == error and words in message
    second = answer["episodes"]["1"]
    if kind == "Dying":
        assert second["error"][0] == "PolicyConnectionError" and "nobody listens" in second["error"][1]
    elif kind in ("Failing", "Slow"):
        assert second["reason"] == "never_reached"  # the next episode connects again and plays


def test_the_client_outlives_a_hundred_hostile_messages(python):
    found = json.loads(run(str(python), str(HERE / "hostile.py")))
    assert found["whole"][0] == "answered"
    assert len(found["hello"]) == len(found["answer"]) == 100
    for kind, words, seconds in (*found["hello"], *found["answer"]):
        assert kind == "answered" or kind.startswith(("Policy", "Convention"))
        assert "\n" not in words and "\x1b" not in words and len(words) < 25_000 and seconds < 30
    kind, words, seconds = found["endless"]
    assert kind == "PolicyTimeoutError" and seconds < 10


def test_nobody_listens(python):
    answer = play(python, "vla-eval://127.0.0.1:9?connect_timeout=0.2", "mujoco", 0, 1)
    assert answer["error"][0] == "PolicyConnectionError" and "nobody listens" in answer["error"][1]
