"""Policies with something hidden: words of them, spans, patches, and regions found by the truth."""

import numpy as np
import pytest

import core
from bomb.evaluation.matrix import make_matrix
from bomb.evaluation.settings import EvaluationSettings
from bomb.explanation.grids import Grid
from bomb.explanation.masked import Masked
from bomb.explanation.occluders import OCCLUDERS, occlude
from bomb.explanation.regions import REGIONS, areas, chosen_stone, nuisance, region_map, shares
from bomb.explanation.spans import STUDY, reworded, spans_of, without
from bomb.pictures.views import goal_in_world, project
from bomb.policies.making import make_policy, policy_class
from bomb.policies.words import PolicyWords
from bomb.rollouts.rollout import play
from core.errors import OptionError, UnknownNameError
from core.policy import BatchPolicy, Policy
from core.rendering.sight import Sight
from core.task import Intersection
from tasks.place_stone.words import PHRASINGS, WORD_SETS, instruct, parse


class Watcher(Policy):
    """Keeps what it is told."""

    def reset(self, instruction, seed):
        self.heard, self.seen = [instruction], []

    def act(self, observation):
        self.heard.append(observation["instruction"])
        self.seen.append(observation)
        return np.zeros((4, 4), dtype=np.float32)


class Batcher(BatchPolicy):
    def infer(self, requests):
        self.heard = [request.observation["instruction"] for request in requests]
        return [np.zeros((1, 4), dtype=np.float32)] * len(requests)


def test_spans_of_every_sentence_are_those_that_the_task_knows():
    for words, group in (("", PHRASINGS), *WORD_SETS.items()):
        for k, phrasing in enumerate(group):
            goal = Intersection(color="white" if k % 2 else "black", row=k % 5, column=(3 * k + 1) % 5)
            said = instruct(goal, phrasing, words=words, other="row 0, column 4")
            found = dict(spans_of(said.text))
            place = found.pop("place")
            assert found == said.spans
            for name in ("row", "column"):
                assert place.start <= said.spans[name].start and said.spans[name].end <= place.end


def test_spans_of_other_tasks_are_found():
    for task in ("move_stone", "remove_stone", "tic_tac_toe", "four_in_a_row", "go_sequence"):
        env = core.make_task(task, backend="mujoco", cameras=(), split="ci")
        try:
            for seed in range(3):
                env.begin(seed=seed)
                said = env.episode.instruction
                found = spans_of(said.text)
                for name, span in said.spans.items():
                    if name in ("color", "row", "column", "from_row", "from_column"):
                        assert found.get(name, found.get(name.removeprefix("from_"))) == span, said.text
        finally:
            env.close()


def test_words_are_left_out_and_goals_are_swapped():
    text = "place the black stone on the board at row 3, column 1"
    assert without(text, spans_of(text)["color"]) == "place the stone on the board at row 3, column 1"
    assert without(text, spans_of(text)["place"]) == "place the black stone on the board at"
    assert without(text, spans_of(text)["row"]) == "place the black stone on the board at, column 1"
    other = Intersection(color="white", row=0, column=4)
    for words, group in (("", PHRASINGS), *WORD_SETS.items()):
        for phrasing in group:
            said = instruct(
                Intersection(color="black", row=3, column=1), phrasing, words=words, other="row 0, column 4"
            )
            assert parse(reworded(said.text, other)) == other
    assert {name for name in STUDY} <= spans_of(text).keys()


@pytest.mark.parametrize(
    ("words", "inside", "options"),
    [
        ("masked(expert, span='row')", "expert", {"span": "row"}),
        ("masked(vla(checkpoint='a, b=1', n=2), patch=(5, 5), grid=16)", "vla(checkpoint='a, b=1', n=2)",
         {"patch": (5, 5), "grid": 16}),
        ("masked(openpi://localhost:8000, region='stone')", "openpi://localhost:8000", {"region": "stone"}),
        ("blind(noisy_expert(0.01))", "noisy_expert(0.01)", {}),
    ],
)  # fmt: skip
def test_options_of_a_wrapper_are_told_from_the_policy_inside(words, inside, options):
    assert PolicyWords.parse(words).wrapped == (inside, options)


def test_masks_that_are_none_are_refused_before_the_policy_is_made():
    assert policy_class("masked(noisy_expert(0.008), span='row')").privileged
    for words, message in (
        ("masked(random, shape='round')", "has no option shape; valid: grid, "),
        ("masked(expert)", "hides one thing"),
        ("masked(expert, span='row', region='stone')", "hides one thing"),
        ("masked(expert, patch=3)", r"patch must be \(row, column\)"),
        ("blind(expert, span='row')", "takes no options"),
        ("masked(expert, span=row)", "must be plain values"),
        ("masked(expert, region='stone')", "is privileged"),
        ("masked(random, span='row', words='attention')", "say words='text'"),
    ):
        with pytest.raises((OptionError, UnknownNameError), match=message):
            make_policy(words)
    with pytest.raises(UnknownNameError, match="unknown span 'colour'"):
        make_policy("masked(random, span='colour')")


def test_a_policy_of_which_only_actions_are_known_hears_other_words():
    inside = Watcher()
    policy = Masked.around(inside, span="row")
    text = "place the black stone on the board at row 3, column 1"
    policy.reset(text, 1)
    policy.act({"instruction": text, "images": {}, "state": np.zeros(4)})
    assert set(inside.heard) == {"place the black stone on the board at, column 1"}
    batched = Masked.around(Batcher(), span="color")
    assert isinstance(batched, BatchPolicy)
    batched.infer([core.policy.Request(observation={"instruction": text}, seed=0, step=0)])
    assert batched.inside.heard == ["place the stone on the board at row 3, column 1"]
    assert batched.describe()["masked"] == {"span": "color", "words": "text"}


@pytest.mark.parametrize("occluder", OCCLUDERS)
def test_pixels_are_painted_and_no_others(occluder):
    picture = np.random.default_rng(5).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    before = picture.copy()
    inside = Watcher()
    policy = Masked.around(inside, patch=[(0, 1), (7, 7)], occluder=occluder)
    policy.reset("do it", 1)
    policy.act({"instruction": "do it", "images": {"head": picture}, "state": np.zeros(4)})
    seen = inside.seen[0]["images"]["head"]
    changed = (seen != picture).any(-1)
    hidden = np.isin(Grid(rows=8, cols=8).numbers(64, 64), (1, 63))
    assert not changed[~hidden].any() and changed[hidden].mean() > 0.9
    assert (picture == before).all()
    whole = occlude(picture, np.ones((64, 64), bool), occluder)
    assert abs(whole.mean() - picture.mean()) < 4


def test_a_mask_of_a_region_is_shown_what_it_finds_it_by():
    policy = Masked.around(Watcher(), region="stone")
    assert policy.privileged and Sight.of(policy).cameras == ("head",)
    assert Sight.of(policy).modalities == ("rgb", "segmentation")
    settings = EvaluationSettings(policy="hold", backends=("mujoco",), episodes=1)
    (plan,) = make_matrix(settings.fitted(Sight.of(policy), privileged=True))
    assert (plan.environment.cameras, plan.environment.modalities) == (("head",), ("rgb", "segmentation"))
    assert not Masked.around(Watcher(), span="row").privileged


class Saver(Watcher):
    """Insists on what a mask of a region leaves: colours alone, with the mean colour where the stone was."""

    def act(self, observation):
        assert "segmentation" not in observation
        picture = observation["images"]["head"]
        values, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
        alike = np.abs(values - picture.reshape(-1, 3).mean(0)).max(1) < 4
        assert counts[alike].max() > 20
        return super().act(observation)


def test_effects_are_bound_to_regions():
    numbers = Grid(rows=2, cols=2).numbers(4, 4)
    regions = np.zeros((4, 4), np.uint8)
    regions[:2, :2] = REGIONS.index("stone")
    regions[2:, 2:] = REGIONS.index("gripper")
    regions[2, 2] = REGIONS.index("other stones")
    found = shares(np.array([3.0, -5.0, 0.0, 1.0]), numbers, regions)
    assert found["stone"] == pytest.approx(0.75)
    assert found["gripper"] == pytest.approx(0.1875)
    assert nuisance(found) == pytest.approx(0.0625)
    assert sum(found.values()) == pytest.approx(1)
    assert areas(numbers, regions)["background"] == 0.5
    assert shares(np.array([-1.0, 0, 0, 0]), numbers, regions) is None and nuisance(None) is None


@pytest.mark.render
def test_regions_are_where_the_simulator_has_them(backend):
    env = core.make_task(
        backend=backend, split="ci", image_size=(128, 128), modalities=("rgb", "segmentation"), max_steps=4
    )
    try:
        observation, _ = env.reset(seed=3)
        scene, goal = env.episode.scene, env.episode.goal
        stone = chosen_stone(scene, goal, env.scene_state, observation["state"][:3])
        assert scene.stones[stone].color == goal.color
        (view,) = scene.cameras
        found = region_map(observation["segmentation"]["head"], scene, goal, view, stone)
        at = env.scene_state.stone_poses[list(env.scene_state.stone_ids).index(stone), :3]
        row, col = np.rint(project(view, np.array([at], dtype=float), (128, 128))[0]).astype(int)
        assert REGIONS[found[row, col]] == "stone"
        row, col = np.rint(project(view, goal_in_world(scene, goal)[None], (128, 128))[0]).astype(int)
        assert REGIONS[found[row, col]] in ("target", "gripper", "arm")
        assert set(np.unique(found)) == set(range(len(REGIONS)))
        for region in ("stone", "target", "gripper"):
            play(env, Masked.around(Saver(), region=region), 3)
    finally:
        env.close()
