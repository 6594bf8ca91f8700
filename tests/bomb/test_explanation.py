"""Explanations of policies of which only actions are known, from constructed policies to a page."""

import json
import re

import numpy as np
import pytest

import core
from bomb.cli import main
from bomb.disk.files import FileError
from bomb.explanation.aggregate import aggregate
from bomb.explanation.asking import Change, PolicyAsker, Question, patch_changes, span_changes
from bomb.explanation.counterfactual import end_point, follow, swaps_of
from bomb.explanation.explaining import explain, read_explanation
from bomb.explanation.grids import Grid
from bomb.explanation.looking import Look, Looking, look_at
from bomb.explanation.moments import STAGES, course_of
from bomb.explanation.occluders import filling
from bomb.explanation.page import write_page
from bomb.explanation.regions import REGIONS, camera_in_world, region_map
from bomb.explanation.rollouts import PRESETS, masked_rollouts
from bomb.explanation.scenes import CHANGED, SCENES, SceneEditor, pixel_twin
from bomb.explanation.settings import ExplanationSettings
from bomb.explanation.spans import spans_of
from bomb.pictures.views import goal_in_world
from bomb.policies.expert import Expert
from bomb.policies.making import make_policy
from bomb.report.loading import load_runs
from bomb.report.model import plain
from bomb.report.summary import summarise
from core.control.actions import ActionSpec
from core.errors import OptionError, UnknownNameError
from core.policy import BatchPolicy, Policy
from core.settings import EnvironmentSettings
from core.task import Intersection
from core.world.rotations import matrix_from_quaternion
from core.world.stage import clean_scene
from tasks.place_stone.words import parse

TEXT = "place the black stone on the board at row 3, column 1"
SPEC = ActionSpec(mode="delta", control_hz=20)


class PatchReadingPolicy(BatchPolicy):
    """x of its action is the brightness of one patch of 8 x 8, y whether it hears where the column is."""

    patch = (2, 5)

    def infer(self, requests):
        chunks = []
        for request in requests:
            row, col = self.patch
            picture = request.observation["images"]["head"]
            height, width = picture.shape[0] // 8, picture.shape[1] // 8
            seen = picture[row * height : (row + 1) * height, col * width : (col + 1) * width].mean() / 255
            heard = float(bool(re.search(r"column \d", request.observation["instruction"])))
            chunks.append(np.array([[seen, heard, 0, 1]] * 4, dtype=np.float32))
        return chunks


class Follower(Policy):
    """Heads for the place that the words name, at full speed, or for one fixed place if it is deaf."""

    cameras = ()

    def __init__(self, *, deaf: bool = False):
        self._deaf, self._scene = deaf, clean_scene()

    def reset(self, instruction, seed):
        try:
            self._goal = parse(instruction)
        except OptionError:  # words are missing
            self._goal = None
        if self._deaf or self._goal is None:
            self._goal = Intersection(color="black", row=2, column=2)

    def act(self, observation):
        at = np.asarray(observation["state"][:3], dtype=np.float64)
        target = in_base(self._scene, self._goal)
        target[2] = at[2]
        chunk = []
        for _ in range(12):
            chunk.append(SPEC.towards(at, target, 1.0))
            at = np.array(SPEC.advance(at, chunk[-1]))
        return np.array(chunk)


class Remembering(Policy):
    """Knows the words from ``reset`` alone, and how often it was asked."""

    def reset(self, instruction, seed):
        self.words, self.asked = instruction, 0

    def reword(self, instruction):
        self.words = instruction

    def act(self, observation):
        self.asked += 1
        return np.full((2, 4), self.asked + 10 * ("column" in self.words), dtype=np.float32)


def in_base(scene, goal):
    X_WR = scene.robot.X_WR
    return matrix_from_quaternion(X_WR.q).T @ (goal_in_world(scene, goal) - np.array(X_WR.p))


def question(picture=None, text=TEXT, **more) -> Question:
    picture = np.zeros((64, 64, 3), np.uint8) if picture is None else picture
    state = np.array([0.5, 0.1, 0.1, 1.0], np.float32)
    observation = {"images": {"head": picture}, "instruction": text, "state": state}
    return Question(observation=observation, seed=1, step=0, **more)


def test_a_policy_of_which_only_actions_are_known_is_found_out():
    picture = np.random.default_rng(0).integers(0, 60, (64, 64, 3), dtype=np.uint8)
    picture[16:24, 40:48] = 250
    asked, asker = question(picture), PolicyAsker(PatchReadingPolicy(), SPEC)
    _, reference = asker.decide(asked)
    clean = asker.score(asked, reference, [Change(name="clean")])
    assert clean.total.tolist() == [0.0]
    grid = Grid(rows=8, cols=8)
    found = asker.score(asked, reference, patch_changes(asked, "head", grid, filling(picture, "mean")))
    effects = found.effects(clean).total.reshape(8, 8)
    assert np.argwhere(np.abs(effects) > 1e-9).tolist() == [[2, 5]] and effects[2, 5] > 0.5
    spans = spans_of(TEXT)
    words = asker.score(asked, reference, span_changes(spans)).effects(clean)
    needed = {name for name, effect in zip(spans, words.total, strict=True) if effect > 1e-9}
    assert needed == {"column", "column_digit", "place"}
    assert words.groups["xy"].sum() == pytest.approx(3.0) and words.groups["z"].sum() == 0
    assert asker.forwards == 1 + 1 + 64 + len(spans)


def test_a_policy_that_remembers_is_asked_as_it_was():
    policy = Remembering()
    asker = PolicyAsker(policy, SPEC)
    policy.reset(TEXT, 1)
    policy.act({})
    policy.act({})
    asked = question(memory=policy)
    action, reference = asker.decide(asked)
    assert action[0, 0] == 13 and policy.asked == 2
    changes = [Change(name="clean"), *span_changes({"column": spans_of(TEXT)["column"]})]
    assert asker.score(asked, reference, changes).groups["z"].tolist() == [0, -10]
    looking = Looking(Remembering())
    looking.reset(TEXT, 1)
    for step in (0, 2, 4):
        looking.act({"instruction": TEXT, "segmentation": 1}, step=step)
    assert [look.memory.asked for look in looking.looks] == [0, 1, 2]
    assert [look.step for look in looking.looks] == [0, 2, 4]


def test_the_look_that_shows_a_stage_is_before_what_is_done_and_after_what_happened():
    looks = [Look(step=step, observation={}, memory=None) for step in (0, 8, 16, 28, 44, 52, 100)]
    assert look_at(looks, "approach", 11).step == 8
    assert look_at(looks, "grasp", 22).step == 16
    assert look_at(looks, "lift", 29).step == 44 and look_at(looks, "lift", 60).step == 52
    assert look_at(looks, "release", 66).step == 52
    assert look_at(looks, "release", 80) is None and look_at([], "grasp", 3) is None


def test_masked_rollouts_are_paired_with_the_unmasked_run(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "one", ("span='row'",))
    settings = ExplanationSettings(
        policy="tests.bomb.test_explanation:Follower", backends=("mujoco",), seeds=(4, 5), split="ci"
    )
    told = []
    page = masked_rollouts(settings, "one", tmp_path, workers=1, told=told.append)
    assert told == ["unmasked", "row"]
    (pair,) = summarise(load_runs([tmp_path / name for name in told]), margin=None).comparisons
    assert (pair.kind, pair.first, pair.second) == ("masked", "row", "unmasked")
    assert [row.pairs for row in pair.rows] == [2]
    html = page.read_text()
    assert "with something hidden" in html and "way over the board" in html
    gaps = ExplanationSettings(**{**vars(settings), "seeds": (4, 6)})
    with pytest.raises(OptionError, match="follow one another, got 4, 6"):
        masked_rollouts(gaps, "one", tmp_path)


@pytest.mark.parametrize("deaf", [False, True])
def test_the_following_index_is_one_for_who_follows_and_zero_for_who_is_deaf(deaf):
    goal, scene = parse(TEXT), clean_scene()
    asker = PolicyAsker(Follower(deaf=deaf), SPEC)
    near = question()
    near.observation["state"][:3] = in_base(scene, goal) + [0, 0, 0.05]
    swaps = swaps_of(goal, 5, 6, seed=3)
    assert (swaps[0].row, swaps[0].column) == (1, 3) and len({(s.row, s.column) for s in swaps}) == 6
    found = follow(asker, near, scene, goal, SPEC, swaps)
    for one in found:
        if one.distance < 0.2:  # within the reach of 12 actions along each axis
            assert one.g == pytest.approx(0 if deaf else 1, abs=0.02)
        assert one.reachable == pytest.approx(0 if deaf else 1, abs=0.02)
    assert follow(asker, question(text="do it"), scene, goal, SPEC, swaps) == []
    still = np.zeros((3, 4), np.float32)
    assert end_point(still, np.array([0.5, 0.0, 0.1]), SPEC).tolist() == [0.5, 0.0, 0.1]


def test_the_experts_moments_come_one_after_the_other(backend, make_env):
    env = make_env(backend)
    course = course_of(env, Expert(), 3)
    assert tuple(course.stages) == STAGES and course.success
    steps = list(course.stages.values())
    assert steps == sorted(steps) and len(set(steps)) == len(steps)
    index = course.states[0].stone_ids.tolist().index(course.stone)
    height = [state.stone_poses[index, 2] - course.states[0].stone_poses[index, 2] for state in course.states]
    assert height[course.stages["grasp"]] < 0.001 < height[course.stages["lift"]]
    assert course.actions[course.stages["grasp"], 3] < 0.05 < course.actions[course.stages["release"], 3]
    idle = course_of(env, make_policy("hold"), 3)
    assert list(idle.stages) == ["approach"] and idle.stone is None and not idle.success


@pytest.mark.render
def test_things_are_taken_out_of_the_scene_and_nothing_else_changes(backend):
    env = core.make_task(backend=backend, cameras=(), split="ci")
    course = course_of(env, Expert(), 3)
    env.close()
    editor = SceneEditor(
        EnvironmentSettings(
            backend=backend, split="ci", image_size=(128, 128), modalities=("rgb", "segmentation")
        )
    )
    try:
        editor.begin(3)
        step = course.stages["above target"]
        state = course.states[step]
        seen = editor.observe(state, step)
        before = seen["images"]["head"].astype(int)
        scene = editor.env.episode.scene
        view = camera_in_world(scene.cameras[0], scene, state)
        regions = region_map(seen["segmentation"]["head"], scene, editor.env.move.goal, view, course.stone)
        for what in SCENES:
            without = editor.without(what, state, step, seen=seen, stone=course.stone)["head"]
            changed = np.abs(without.astype(int) - before).max(-1) > CHANGED
            shown = pixel_twin(what, regions, seen["images"]["head"], without)
            assert changed[shown].mean() > 0.4, what
            # A shadow goes too, but nothing far away changes.
            assert changed[~shown].mean() < (0.25 if what == "robot" else 0.02), what
            again = editor.env.observe()["images"]["head"]
            assert (again == before).all()
        hand = region_map(seen["segmentation"]["head"], scene, editor.env.move.goal, view, None)
        assert REGIONS.index("stone") not in hand and REGIONS.index("stone") in regions
    finally:
        editor.close()


@pytest.mark.render
def test_keypoint_lives_on_the_stone_before_the_grasp_and_on_the_place_after_it(tmp_path):
    """Known by construction: it picks the stone that the colour names, then heads for the cell."""
    settings = ExplanationSettings(
        policy="keypoint",
        backends=("mujoco",),
        seeds=(0,),
        split="validation",
        stages=("approach", "above target"),
        grid=1,
        swaps=2,
    )
    told = []
    episodes = explain(settings, tmp_path, begin=lambda *numbers: told.append(numbers), report=told.append)
    (episode,) = episodes
    assert episode["success"] and episode["forwards"] <= 2 * told[0][2] + 4
    before, after = episode["moments"]
    assert (before["stage"], after["stage"]) == ("approach", "above target")
    words = {one["stage"]: {s["name"]: s["effect"] for s in one["spans"]} for one in (before, after)}
    scenes = {one["stage"]: {s["what"]: s["scene"] for s in one["scenes"]} for one in (before, after)}
    assert words["approach"]["color"] > 0.02 and scenes["approach"]["stone"] > 0.02
    assert words["above target"]["color"] < 1e-6 and scenes["above target"]["stone"] < 0.02
    assert words["above target"]["place"] > 0.5
    assert all(abs(one["g"]) < 0.05 for one in before["swaps"])
    assert all(one["reachable"] > 0.7 for one in after["swaps"])
    # Taken up again, nothing is asked; other settings are refused.
    again = explain(settings, tmp_path, begin=lambda *numbers: told.append(numbers), report=told.append)
    assert again == episodes and told[2][:2] == (1, 1) and told[1] == "mujoco_clean_000000"
    with pytest.raises(FileError, match="explains with occluder 'mean', asked is 'blur'"):
        explain(ExplanationSettings(**{**vars(settings), "occluder": "blur"}), tmp_path)
    header, kept = read_explanation(tmp_path)
    totals = aggregate(kept)
    json.dumps(plain(totals), allow_nan=False)
    html = write_page(tmp_path, header, kept, totals).read_text()
    assert "minus the distance from the clean chunk" in html
    assert "the mean colour of the whole picture" in html
    assert html.count("<img") >= 4


def test_what_cannot_be_explained_is_refused(tmp_path):
    base = {"policy": "expert", "backends": ("mujoco",), "seeds": (0,)}
    with pytest.raises(OptionError, match="is told the truth"):
        explain(ExplanationSettings(**base), tmp_path)
    for changes, message in (
        ({"seeds": ()}, "seeds must be at least one"),
        ({"grid": 0}, "grid must be"),
        ({"path": "mine"}, "unknown path"),
        ({"stages": ("arrive",)}, "unknown stage"),
    ):
        with pytest.raises((OptionError, UnknownNameError), match=message):
            ExplanationSettings(**{**base, **changes})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--backend", "nope"], "unknown backend 'nope'; valid: mujoco, robotwin"),
        (["--backend", "mujoco", "--task", "chess"], "unknown task 'chess'"),
        (["--backend", "mujoco", "--perturbations", "bomm:3"], "unknown perturbation 'bomm'"),
        (["--backend", "mujoco", "--workers", "0"], "workers must be an integer from 1 up, got 0"),
    ],
)
def test_what_cannot_be_asked_for_leaves_no_folder(words, message, tmp_path, capsys):
    assert main(["explain", "--policy", "keypoint", "--out", str(tmp_path / "out"), *words]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "out").exists()
