"""A real VLA from nothing to a result: pi0, built small, trained on demonstrations, judged from pictures.

Everything goes through the front doors: `bomb collect`, `bomb train small-pi0`, `bomb models verify`,
`bomb evaluate --policy "vla(...)"`, in an environment with torch and transformers.
"""

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import BACKENDS
from tests.interop.conftest import ROOT, run

SIZE, EPISODES, STEPS = 64, 20, 2000

pytestmark = [pytest.mark.timeout(3600), pytest.mark.render]


@pytest.fixture(scope="module")
def bomb(vla_python) -> str:
    """The command in an environment with BOMB, torch and transformers."""
    return str(vla_python.parent / "bomb")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where demonstrations, the training and results are."""
    made = tmp_path_factory.mktemp("trained")
    shutil.copytree(ROOT / "recipes", made / "recipes")
    return made


@pytest.fixture(scope="module")
def training(bomb, folder) -> Path:
    """A training on 20 demonstrations drawn in both engines, one of which is held out."""
    run(bomb, "collect", "--episodes", str(EPISODES), "--backend", ",".join(BACKENDS),
        "--out", "demonstrations", cwd=folder)  # fmt: skip
    run(bomb, "train", "small-pi0", "--data", "demonstrations", "--out", "training", cwd=folder)
    return folder / "training"


@pytest.fixture(scope="module")
def checkpoint(training) -> Path:
    """What it chose."""
    return training / "chosen"


def test_the_loss_falls(training):
    rows = [json.loads(line) for line in (training / "metrics.jsonl").read_text().splitlines()]
    losses = [row["loss"] for row in rows if row["kind"] == "train"]
    assert rows[-1]["step"] == STEPS
    assert sum(losses[-10:]) < 0.4 * sum(losses[:10])


def test_a_checkpoint_says_what_it_is(checkpoint):
    about = json.loads((checkpoint / "bomb.json").read_text())
    assert about["family"] == "pi0" and about["cameras"] == ["head"] and about["image_size"] == [SIZE, SIZE]
    seeds = set()
    for source in about["trained_on"]:
        assert (source["split"], source["task"]) == ("train", "place_stone")
        seeds |= set(source["seeds"])
    assert len(seeds) == EPISODES - 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_does_what_was_shown(bomb, folder, checkpoint, backend):
    """Pictures and words matter, a batch is as its members, and actions are nearer than standing still."""
    said = run(bomb, "models", "verify", str(checkpoint), "--data", "demonstrations",
               "--backend", backend, "--device", "cpu", "--json", f"{backend}.json", cwd=folder)  # fmt: skip
    (found,) = json.loads((folder / f"{backend}.json").read_text())["checkpoints"]
    assert {"looks at pictures", "looks at words", "batch against single", "predicted actions"} <= {
        finding["what"] for finding in found["findings"]
    }
    assert "BROKEN" not in said


def evaluate(bomb: str, folder: Path, policy: str, cameras: str) -> dict[str, dict]:
    """`bomb evaluate` on the seeds that were trained on, in both engines; by engine the result."""
    file = folder / "result.json"
    run(bomb, "evaluate", "--policy", policy, "--backend", ",".join(BACKENDS),
        "--split", "train", "--allow-training-split", "--goals", "seen", "--episodes", str(EPISODES),
        "--cameras", cameras, "--image-size", str(SIZE), "--max-steps", "120",
        "--stop-on-success", "--workers", "2", "--json", str(file), cwd=folder)  # fmt: skip
    result = json.loads(file.read_text())
    return {entry["backend"]: entry for entry in result["conditions"]}


def test_it_gets_to_the_stone_in_both_simulators(bomb, folder, checkpoint):
    """20 demonstrations teach where to go and when to close; chance reaches few stones and grasps none."""
    pi0 = evaluate(bomb, folder, f"vla(checkpoint={str(checkpoint)!r}, threads=1)", "head")
    chance = evaluate(bomb, folder, "random", "none")
    for backend in BACKENDS:
        assert pi0[backend]["n"] == chance[backend]["n"] == EPISODES and not pi0[backend]["errors"]
        reached, by_chance = (result[backend]["stages"].get("reached", 0) for result in (pi0, chance))
        assert reached >= 10 and reached >= by_chance + 5
    grasped = [sum(result[b]["stages"].get("grasped", 0) for b in BACKENDS) for result in (pi0, chance)]
    assert grasped[0] >= 3 and grasped[0] > grasped[1]


def test_its_own_split_is_refused_unless_asked_for(bomb, folder, checkpoint):
    with pytest.raises(AssertionError, match="trained on split 'train'"):
        run(bomb, "evaluate", "--policy", f"vla(checkpoint={str(checkpoint)!r})", "--backend", "mujoco",
            "--split", "train", "--episodes", "1", "--image-size", str(SIZE), cwd=folder)  # fmt: skip
