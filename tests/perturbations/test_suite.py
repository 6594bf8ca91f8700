"""Which knobs are on: severities, presets, condition sets, streams, and every wrong way to ask."""

import json

import numpy as np
import pytest

import core
from bomb.pictures.gallery import levels_of
from bomb.policies.expert import Expert
from core.backend import Capability
from core.errors import CapabilityError, OptionError, StateError, UnknownNameError
from core.perturbations import KNOBS
from core.perturbations.base import SEVERITIES, WITHOUT_PHYSICS, Touches
from core.perturbations.conditions import read_conditions
from core.perturbations.make_conditions import make_conditions
from core.perturbations.presets import PRESETS, STUDY, make_suite, preset
from core.registry import TASKS
from core.task import Task
from tasks.place_stone import PlaceStone
from tests.conftest import play, wave
from tests.perturbations.conftest import SEED, highest

UNKNOWN = {
    "knob": ({"fog": 3}, "unknown perturbation 'fog'.*table_color"),
    "preset": ("fog", "perturbation or preset 'fog'.*libero_plus"),
    "set": ({"table_texture": "sand"}, "'sand'.*seen, unseen"),
    "severity of a set": ({"table_texture": 3}, "seen, unseen"),
    "camera": ({"camera_roll@overhead": 3}, "overhead.*wrist"),
}
WRONG = {
    "too high": ({"board_pose": 6}, "0 to 5.*6"),
    "negative": ({"board_pose": -1}, "0 to 5"),
    "half": ({"board_pose": 2.5}, "integer"),
    "a bool": ({"board_pose": True}, "True"),
    "a word": ({"board_pose": "much"}, "much"),
    "a preset too high": ("bomb:6", "0 to 5"),
    "no level": ("board_pose", "how much"),
    "presets that contradict each other": (("bomb:2", "visual:4"), "two levels"),
    "a camera that contradicts all": ({"camera_roll": 1, "camera_roll@head": 2}, "two levels"),
    "a camera of a knob without": ({"board_pose@head": 2}, "not a knob of one camera"),
    "a camera that is not there": ({"camera_roll@wrist": 2}, "not there"),
    "something else": (7, "must be a dict"),
    "a number as name": ({3: 3}, "named by a string"),
    "no such file": ("nowhere.json", "nowhere.json"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_unknown_names_list_the_valid_ones(case):
    perturbations, message = UNKNOWN[case]
    with pytest.raises(UnknownNameError, match=message):
        core.make_task(backend="mujoco", cameras=(), perturbations=perturbations)


@pytest.mark.parametrize("case", WRONG)
def test_wrong_values_are_named(case):
    perturbations, message = WRONG[case]
    with pytest.raises(OptionError, match=message):
        core.make_task(backend="mujoco", cameras=(), perturbations=perturbations)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_asks_its_knobs_for_what_they_accept(name):
    assert make_suite(f"{name}:0").levels == {}
    for severity in SEVERITIES:  # a dict is checked by each knob, a preset is not
        assert make_suite(preset(name, severity)) == make_suite(f"{name}:{severity}")


def test_the_study_is_in_every_larger_preset():
    assert set(STUDY) - {"stone_amount", "stone_position"} <= set(PRESETS["visual"])
    assert set(STUDY) <= set(PRESETS["all"])


def test_presets_and_knobs_may_be_put_together():
    suite = make_suite(("clean", "board_pose:2", {"words": "letters", "jpeg": 0}))
    assert suite.levels == {"board_pose": 2, "words": "letters"}
    assert list(make_suite({"jpeg": 1, "board_pose": 1}).levels) == ["board_pose", "jpeg"], (
        "always in one order"
    )


def test_adding_a_knob_changes_nobody_elses_draw():
    every = make_suite({name: highest(name) for name in KNOBS})
    for seed in range(3):
        together = every.draw("ci", seed)
        for name in KNOBS:
            assert make_suite({name: highest(name)}).draw("ci", seed)[name] == together[name]
        assert json.loads(json.dumps(together)) == together, "plain values"
    assert every.draw("ci", 0) != every.draw("train", 0)


def test_a_direction_is_drawn_once_and_severity_scales_it():
    for seed in range(5):
        yaws = [make_suite({"board_pose": s}).draw("ci", seed)["board_pose"]["yaw_rad"] for s in range(1, 6)]
        assert np.allclose(yaws, yaws[0] * np.arange(1, 6))


def test_severity_0_is_the_clean_world(backend, make_env):
    clean, named = make_env(backend), make_env(backend, perturbations=dict.fromkeys(KNOBS, 0))
    for env in (clean, named):
        env.reset(seed=SEED)
    assert named.action_spec == clean.action_spec
    for step in range(20):
        *one, info = clean.step(wave(step))
        *other, info_2 = named.step(wave(step))
        assert named.save_state() == clean.save_state() and info == info_2 and info["perturbation"] == {}
        assert (one[0]["state"] == other[0]["state"]).all()


@pytest.mark.render
def test_the_clean_picture_is_that_of_an_environment_that_knows_no_perturbations(studio):
    env = core.make_task(backend=studio.name, image_size=(96, 96), split="ci", perturbations="clean")
    observation, _ = env.reset(seed=SEED)
    env.close()
    studio.picture("all", SEED)
    assert (studio.picture({}, SEED).rgb == observation["images"]["head"]).all()


def test_a_backend_that_cannot_says_so():
    for name, knob in KNOBS.items():
        for missing in knob.capabilities:
            able = type("Half", (), {"name": "half", "capabilities": frozenset(Capability) - {missing}})
            with pytest.raises(CapabilityError, match=f"'half' cannot do {name}: .*{missing.value}"):
                make_suite({name: highest(name)}).check(able, PlaceStone, ("head",))


def test_a_task_that_cannot_says_so():
    able = type("Able", (), {"name": "able", "capabilities": frozenset(Capability)})
    game = type("Game", (Task,), {"name": "game", "make_episode": None})
    for perturbations, message in (
        ({"words": "letters"}, "task 'game' has no words 'letters'; it has: none"),
        ({"stone_amount": 1}, "task 'game' cannot do stone_amount.* can do: board_pose, stone_position"),
        ({"stone_layout": "row"}, "task 'game' cannot do stone_layout"),
    ):
        with pytest.raises(CapabilityError, match=message):
            make_suite(perturbations).check(able, game, ())
    make_suite({"table_height": 5, "distractors": 2, "board_pose": 1, "stone_position": 1}).check(
        able, game, ()
    )


@pytest.mark.parametrize("name", core.list_tasks())
@pytest.mark.parametrize(
    "perturbations",
    [{"stone_amount": 5}, {"stone_layout": "around_goal"}, {"words": "ordinal"}, "bomb", "all"],
    ids=str,
)
def test_what_a_task_cannot_do_is_refused_when_it_is_made(name, perturbations, make_env):
    """The table of docs/perturbations.md."""
    task, suite = TASKS.load(name)(), make_suite(perturbations)
    wrong = {
        knob
        for knob, level in suite.levels.items()
        if (KNOBS[knob].touches is Touches.LAYOUT and knob not in task.layout_knobs)
        or (knob == "words" and level not in task.word_sets)
    }
    if wrong:
        with pytest.raises(CapabilityError, match=f"task '{name}' .*({'|'.join(wrong)}|ordinal)"):
            make_env("mujoco", task=name, perturbations=perturbations)
    else:
        make_env("mujoco", task=name, perturbations=perturbations).reset(seed=0)


# ---- condition sets -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def conditions():
    return make_conditions("place_stone", "all", split="ci", seeds=range(4))


def test_a_condition_set_plays_what_was_drawn(conditions, tmp_path, make_env):
    path = tmp_path / "set.json"
    conditions.write(path)
    assert read_conditions(path).hash == conditions.hash
    drawn, written = make_env("mujoco", perturbations="all"), make_env("mujoco", perturbations=str(path))
    for seed in range(4):
        _, info = drawn.reset(seed=seed)
        _, info_2 = written.reset(seed=seed)
        assert info == info_2 and drawn.save_state() == written.save_state()
    with pytest.raises(OptionError, match="no episode ci/9"):
        written.reset(seed=9)


def test_a_condition_set_keeps_its_draws_when_a_knob_changes(conditions, make_env):
    entry = conditions.episodes[0]
    entry["draws"]["board_pose"]["yaw_rad"] = 0.125
    env = make_env("mujoco", perturbations=conditions)
    _, info = env.reset(seed=0)
    assert info["perturbation"]["board_pose"]["yaw_rad"] == 0.125


def test_damaged_condition_sets_are_refused(tmp_path):
    path = tmp_path / "set.json"
    make_conditions("place_stone", "board_pose:3", split="ci", seeds=range(2)).write(path)
    text = path.read_text()
    cases = {
        text[:-40]: "truncated",
        text.replace('"severity": 3', '"severity": 4'): "edited",
        text.replace('"version": 2', '"version": 1'): "version 1",
        text.replace("bomb-conditions", "other"): "not a condition set",
        "[]": "not a condition set",
    }
    for damaged, message in cases.items():
        path.write_text(damaged)
        with pytest.raises(StateError, match=message):
            core.make_task(backend="mujoco", cameras=(), perturbations=path)


def test_a_condition_set_of_another_task_is_refused(conditions):
    with pytest.raises(OptionError, match="of the task 'place_stone', not of 'move_stone'"):
        core.make_task("move_stone", backend="mujoco", cameras=(), perturbations=conditions)


def test_a_condition_set_of_another_version_of_the_task_is_refused(make_env):
    other = make_conditions("place_stone", "board_pose:3", split="ci", seeds=[0])
    other.episodes[0]["goal"]["row"] = (
        4 - other.episodes[0]["goal"]["row"] + (other.episodes[0]["goal"]["row"] == 2)
    )
    with pytest.raises(StateError, match="another version"):
        make_env("mujoco", perturbations=other).reset(seed=0)


def test_a_state_of_another_perturbation_is_refused(make_env):
    env, other = (
        make_env("mujoco", perturbations="board_pose:2"),
        make_env("mujoco", perturbations="board_pose:3"),
    )
    env.reset(seed=1)
    other.reset(seed=1)
    with pytest.raises(StateError, match="perturbed otherwise"):
        other.load_state(env.save_state())


# ---- what the expert does -------------------------------------------------------------------


class Watching(Expert):
    """The expert, who keeps the bytes of every state that he acts on."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[bytes] = []

    def act(self, observation, truth=None):
        self.states.append(truth.to_bytes())
        return super().act(observation, truth=truth)


def course(env, seed: int) -> list[bytes]:
    """The bytes of every state of an expert's episode, the last one's too."""
    watching = Watching()
    assert play(env, seed=seed, policy=watching)["success"]
    return [*watching.states, env.scene_state.to_bytes()]


def test_what_is_only_seen_or_said_leaves_the_experts_course_alone(backend, make_env):
    """All such knobs at once; one that touched the course would touch it among the others, too."""
    clean = course(make_env(backend, stop_on_success=True), 2)
    knobs = {name: highest(name) for name in KNOBS if KNOBS[name].touches in WITHOUT_PHYSICS}
    for words in ("letters", "negation"):
        asked = {**knobs, "words": words}
        if course(make_env(backend, stop_on_success=True, perturbations=asked), 2) != clean:
            alone = [
                name
                for name, level in asked.items()
                if course(make_env(backend, stop_on_success=True, perturbations={name: level}), 2) != clean
            ]
            pytest.fail(f"touch the course: {alone or asked}")


@pytest.mark.parametrize("knob", [name for name in KNOBS if KNOBS[name].touches not in WITHOUT_PHYSICS])
def test_the_expert_plays_what_moves(backend, make_env, knob):
    """One episode here; benchmarks/solvability.py plays fifty of every level."""
    env = make_env(backend, stop_on_success=True, perturbations={knob: highest(knob)})
    assert play(env, seed=2)["success"]


def test_every_knob_is_documented():
    for name, knob in KNOBS.items():
        assert type(knob).__doc__ and knob.family and name == knob.name
        assert len(levels_of(knob)) == len(set(levels_of(knob)))
        assert knob.sets or (knob.unit and knob.statistic and len(knob.levels) == 5), name
