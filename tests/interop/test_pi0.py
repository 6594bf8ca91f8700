"""A real torch policy: pi0 of transformers, built small, trained on demonstrations, judged from pictures.

Everything goes through the front doors: `bomb collect`, `python -m bomb.models.pi0.train`,
`bomb evaluate --policy "pi0(...)"`, in an environment with torch and transformers.
"""

import json
from pathlib import Path

import pytest

from tests.conftest import BACKENDS
from tests.interop.conftest import run

HERE = Path(__file__).parent / "pi0"
SIZE, EPISODES, STEPS = 64, 20, 2000

pytestmark = [pytest.mark.timeout(3600), pytest.mark.render]


@pytest.fixture(scope="module")
def python(vla_python) -> Path:
    """The Python of an environment with BOMB, torch and transformers."""
    return vla_python


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where demonstrations, the checkpoint and results are."""
    return tmp_path_factory.mktemp("trained")


@pytest.fixture(scope="module")
def trained(python, folder) -> Path:
    """A checkpoint, trained on 20 demonstrations drawn in both engines."""
    run(str(python.parent / "bomb"), "collect", "--episodes", str(EPISODES), "--backend", ",".join(BACKENDS),
        "--out", str(folder / "demonstrations"), cwd=folder)  # fmt: skip
    run(str(python), "-m", "bomb.models.pi0.train", "--data", str(folder / "demonstrations"),
        "--out", str(folder / "checkpoint"), "--image-size", str(SIZE), "--steps", str(STEPS),
        "--threads", "1", cwd=folder)  # fmt: skip
    return folder / "checkpoint"


@pytest.fixture(scope="module")
def probe(python, folder, trained) -> dict:
    """What the checkpoint does with what it was shown; see the script."""
    run(
        str(python),
        str(HERE / "probe.py"),
        str(trained),
        str(folder / "demonstrations"),
        str(folder),
        cwd=folder,
    )
    return json.loads((folder / "probe.json").read_text())


def test_the_loss_falls(trained):
    done = json.loads((trained / "bomb.json").read_text())["training"]
    assert done["steps_done"] == STEPS and done["complete"]
    assert done["loss_last"] < 0.25 * done["loss_first"]


def test_what_was_saved_is_what_is_loaded(probe):
    assert probe["saved_and_loaded"] == 0.0 and probe["output_spread"] > 0.0
    assert probe["same_settings"]


def test_a_checkpoint_says_what_it_is(probe):
    about = probe["describe"]
    assert about["cameras"] == ["head"] and about["image_size"] == [SIZE, SIZE]
    assert about["parameters"] > 100_000 and about["gripper"] == "continuous_01"
    (dataset,) = about["trained_on"]
    assert (dataset["split"], dataset["task"]) == ("train", "place_stone")
    assert dataset["demonstrations"] == len(dataset["seeds"]) == EPISODES


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_batch_is_as_its_members_alone(probe, backend):
    found = probe[backend]
    assert found["shape"] == [10, 4] and found["dtype"] == "float32"
    assert found["batch_against_singles"] < 1e-3 and found["order"] < 1e-3


@pytest.mark.parametrize("backend", BACKENDS)
def test_noise_depends_on_seed_and_step_alone(probe, backend):
    assert probe[backend]["repeated"] == 0.0
    assert probe[backend]["other_seed"] > 0.01


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_gripper_has_the_right_sign(probe, backend):
    """Open at the start, closed while a stone is carried; inverted, agreement would be one minus this."""
    found = probe[backend]
    assert 0.2 < found["share_closed"] < 0.8
    assert found["first_open"] == 1.0
    assert found["gripper_agrees"] > 0.9
    assert probe["flipped"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_does_what_was_shown(probe, backend):
    assert probe[backend]["unexplained"] < 0.5  # of the variance of the actions' x, y, z


def test_training_goes_on_from_a_checkpoint_with_two_cameras(python, folder, trained):
    first, second = folder / "first", folder / "second"
    words = (str(python), "-m", "bomb.models.pi0.train", "--data", str(folder / "demonstrations"),
             "--episodes", "1", "--backends", "mujoco", "--steps", "2", "--threads", "1")  # fmt: skip
    run(*words, "--cameras", "head,wrist", "--image-size", "32", "--out", str(first), cwd=folder)
    run(*words, "--start", str(first), "--out", str(second), cwd=folder)
    about = json.loads((second / "bomb.json").read_text())
    assert about["cameras"] == ["head", "wrist"] and about["training"]["steps_done"] == 2
    assert [dataset["demonstrations"] for dataset in about["trained_on"]] == [1, 1]
    assert (first / "model.safetensors").read_bytes() != (second / "model.safetensors").read_bytes()


def test_it_looks_and_reads(probe):
    assert probe["blind"] > 0.05 and probe["mute"] > 0.005


def test_what_does_not_fit_is_refused(probe):
    name, message = probe["errors"]["camera"]
    assert name == "ConventionError" and "lacks head" in message
    name, message = probe["errors"]["size"]
    assert name == "ConventionError" and "64 x 64" in message and "32 x 32" in message


def evaluate(python: Path, folder: Path, policy: str, name: str) -> dict[str, dict]:
    """`bomb evaluate` on the seeds that were trained on, in both engines; by engine the result."""
    file = folder / f"{name}.json"
    run(str(python.parent / "bomb"), "evaluate", "--policy", policy, "--backend", ",".join(BACKENDS),
        "--split", "train", "--allow-training-split", "--goals", "seen", "--episodes", str(EPISODES),
        "--cameras", "head" if name == "pi0" else "none", "--image-size", str(SIZE), "--max-steps", "120",
        "--stop-on-success", "--workers", "2", "--json", str(file), cwd=folder)  # fmt: skip
    result = json.loads(file.read_text())
    return {entry["backend"]: entry for entry in result["conditions"]}


def test_it_gets_to_the_stone_in_both_simulators(python, folder, trained):
    """20 demonstrations teach where to go and when to close; chance reaches few stones and grasps none."""
    pi0 = evaluate(python, folder, f"pi0(checkpoint={str(trained)!r}, threads=1)", "pi0")
    chance = evaluate(python, folder, "random", "random")
    for backend in BACKENDS:
        assert pi0[backend]["n"] == chance[backend]["n"] == EPISODES and not pi0[backend]["errors"]
        reached, by_chance = (result[backend]["stages"].get("reached", 0) for result in (pi0, chance))
        assert reached >= 10 and reached >= by_chance + 5
    grasped = [sum(result[b]["stages"].get("grasped", 0) for b in BACKENDS) for result in (pi0, chance)]
    assert grasped[0] >= 3 and grasped[0] > grasped[1]


def test_its_own_split_is_refused_unless_asked_for(python, folder, trained):
    with pytest.raises(AssertionError, match="trained on split 'train'"):
        run(str(python.parent / "bomb"), "evaluate", "--policy", f"pi0(checkpoint={str(trained)!r})",
            "--backend", "mujoco", "--split", "train", "--episodes", "1", "--image-size", str(SIZE),
            cwd=folder)  # fmt: skip
