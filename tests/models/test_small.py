"""The family ``small``: geometry against numpy's, eyes against keypoint's, belief, memory, actions."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import core
from bomb.disk.files import FileError
from bomb.models.checkpoint import Checkpoint
from bomb.models.keypoint import geometry as known
from bomb.models.keypoint.checkpoint import SHIPPED as KEYPOINT
from bomb.models.keypoint.eye import Eye
from bomb.models.keypoint.format import CAMERAS, GRID, MAPS, REFERENCES, intersections, scaled
from bomb.models.keypoint.safetensors import read_safetensors
from bomb.models.keypoint.state import GripperHistory
from bomb.models.small.belief import Belief, Sight
from bomb.models.small.eye import SIDE, SmallEye, normalised
from bomb.models.small.geometry import in_board, on_board, plane_of, rigid
from bomb.models.small.memory import EpisodeMemory, beginning
from bomb.models.small.moving import carried_out, followed, remembered
from bomb.models.small.network import SmallNetwork
from bomb.models.small.policy import SHIPPED
from bomb.models.testing import tiny, toy_requests
from bomb.policies.making import make_policy
from bomb.rollouts.rollout import play
from core.control.actions import ActionSpec
from core.errors import ConventionError, OptionError
from tests.models.conftest import close

TWO = {"chunk": 6, "cameras": CAMERAS, "image_size": (128, 128)}
STATE = np.array([0.5, 0.05, 0.1, 1.0], dtype=np.float32)


@pytest.fixture(scope="module")
def vla():
    return tiny("small", **TWO)


@pytest.mark.parametrize("camera", CAMERAS)
def test_planes_are_those_of_the_direct_linear_transform(camera):
    """Exact reference points of a camera: both methods find its plane."""
    rng = np.random.default_rng(0)
    tool = np.array([0.5, -0.1, 0.12])
    marks = REFERENCES[camera] + (tool if camera == "wrist" else 0.0)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] * 0.1 + np.diag([1.0, -1.0, -1.0])
    projection = np.column_stack([turn, [-0.5, 0.0, 1.4]])
    seen = np.column_stack([marks, np.ones(len(marks))]) @ projection.T
    places = seen[:, :2] / seen[:, 2:]
    plane = plane_of(torch.tensor(places)[None], camera, torch.tensor(tool)[None])[0].numpy()
    point = np.array([[0.55, 0.05, 0.0, 1.0]]) @ projection.T
    (found,) = known.transformed(plane, point[:, :2] / point[:, 2:])
    close(found, np.array([0.55, 0.05]), atol=1e-5)


def test_boards_are_those_of_keypoint():
    rng = np.random.default_rng(1)
    nodes, weights = intersections(), rng.random(25)
    places = nodes @ np.array([[0.9, -0.4], [0.4, 0.9]]).T + [0.5, 0.1] + rng.normal(0, 0.002, nodes.shape)
    pose = rigid(*(torch.tensor(x)[None] for x in (nodes, places, weights)))
    expected = known.on_board(known.board_pose(nodes, places, weights), nodes)
    found = on_board(pose, torch.tensor(nodes)[None])
    close(found[0], expected, atol=1e-9)
    close(in_board(pose, found)[0], nodes, atol=1e-9)


@pytest.mark.parametrize("camera", CAMERAS)
def test_an_eye_of_keypoint_sees_the_same_in_it(camera):
    arrays, _ = read_safetensors(KEYPOINT)
    mine = {
        n.partition(".")[2]: a.astype(np.float32) for n, a in arrays.items() if n.startswith(f"{camera}.")
    }
    tensors = {name: torch.from_numpy(array) for name, array in mine.items()}
    eye = SmallEye(camera, SmallEye.widths_of(tensors))
    eye.load_state_dict(tensors)
    picture = np.random.default_rng(2).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    pixels = normalised(torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32) / 255))
    with torch.no_grad():
        said = eye(pixels, torch.from_numpy(scaled(STATE))[None], torch.ones(1, SIDE, SIDE))
    for found, expected in zip(said[:3], Eye(mine, camera).maps(picture, STATE), strict=True):
        close(found[0], expected, atol=2e-3)


def scene(stone: tuple[float, float], board: np.ndarray, kinds: dict[int, np.ndarray]) -> Sight:
    """A plane that is seen from straight above, one centimetre a cell, with points of some kinds."""
    along = (torch.arange(GRID) + 0.5) * 0.02
    x, y = torch.meshgrid(0.2 + along, along - 0.32, indexing="ij")
    places = torch.stack([x, y], -1).flatten(0, 1)
    heat = torch.zeros(len(MAPS), GRID * GRID)
    every = places.expand(len(MAPS), -1, -1).clone()
    for kind, points in {0: np.array([stone]), **kinds}.items():
        for point in torch.tensor(points, dtype=torch.float32):
            cell = int((places - point).norm(dim=1).argmin())
            heat[kind, cell], every[kind, cell] = 0.9, point
    return Sight(heat=heat[None], places=every[None])


def test_the_board_and_the_stone_are_found_where_they_are():
    turn = 0.1
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    board = intersections() @ rotation.T + [0.5, 0.1]
    corners = {3 + k: board[[corner]] for k, corner in enumerate((0, 4, 20, 24))}
    sight = scene((0.42, -0.15), board, {2: board, **corners})
    belief, tool = Belief(), torch.tensor([[0.45, -0.1, 0.1]])
    memory = EpisodeMemory.unpacked(torch.from_numpy(beginning(STATE))[None])
    with torch.no_grad():
        memory = belief.board_from_head(memory, sight)
        told = torch.from_numpy(intersections()[[7]]).float()
        goal, rough = belief.goal(memory, told)
        memory = belief.stone_from_head(memory, sight, torch.tensor([[1.0, 0.0]]), tool, torch.ones(1, 1))
        close(goal[0], board[7], atol=1e-4)
        close(memory.stone[0], np.array([0.42, -0.15]), atol=1e-5)
        # From near the wrist camera says more, and another place where it sees one.
        moved = scene((0.424, -0.15), board, {2: board + [0.003, 0.0]})
        near = torch.tensor([[*board[7], 0.06]], dtype=torch.float32)
        for _ in range(4):
            memory = belief.board_from_wrist(memory, moved, near)
        after, fine = belief.goal(memory, told)
        assert float(fine) > 3 * float(rough)
        assert np.linalg.norm(after[0].numpy() - board[7] - [0.003, 0.0]) < 0.0015
        over = torch.tensor([[0.43, -0.15, 0.06]])
        memory = belief.stone_from_wrist(memory, moved, torch.tensor([[1.0, 0.0]]), over, torch.ones(1, 1))
        assert abs(float(memory.stone[0, 0]) - 0.424) < 0.001
        # A stone that is not there from near is forgotten.
        empty = replace(moved, heat=torch.zeros_like(moved.heat))
        for _ in range(12):
            memory = belief.stone_from_wrist(
                memory, empty, torch.tensor([[1.0, 0.0]]), over, torch.ones(1, 1)
            )
        assert float(memory.stone_known) == 0.0


def test_the_commanded_target_is_followed_as_the_environment_does():
    spec, rng = ActionSpec(mode="delta", control_hz=20), np.random.default_rng(3)
    here = np.array([0.4, 0.3, 0.02])
    targets = here + rng.normal(0, 0.05, (6, 3))
    points = followed(torch.tensor(here)[None], torch.tensor(targets)[None], spec.max_step)[0].numpy()
    steps = np.diff(points, axis=0, prepend=here[None]) / spec.max_step
    assert np.abs(steps).max() <= 1 + 1e-9
    for step, point in zip(steps, points, strict=True):
        here = np.array(spec.advance(here, np.append(step, 1.0)))
        close(here, point, atol=1e-9)


def test_it_remembers_the_gripper_as_keypoint_does():
    """Closing on a stone, lifting, letting go: both say the same at every look."""
    measured = [1.0, 1.0, 0.45, 0.45, 0.45, 0.9, 1.0]
    openings = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    memory = EpisodeMemory.unpacked(torch.from_numpy(beginning(STATE))[None])
    history = GripperHistory()
    for now, opening in zip(measured, openings, strict=True):
        states = torch.tensor([[*STATE[:3], now]])
        memory = SmallNetwork.felt(memory, states)
        history.saw(now)
        assert (bool(memory.holds), bool(memory.released)) == (history.holds, history.released)
        points = memory.commanded[:, None, :3].expand(1, 6, 3)
        said = torch.full((1, 6), opening)
        memory = remembered(memory, points, said, torch.tensor([4]))
        for _ in range(4):
            history.acted(opening)
        assert float(memory.since) == min(history.since, 30)
    assert history.released


def test_a_plan_to_wait_and_then_to_move_is_not_cut_off_before_it_moves():
    memory = EpisodeMemory.unpacked(torch.from_numpy(beginning(STATE))[None])
    points = memory.commanded[:, None, :3].repeat(1, 16, 1)
    still, moving = points.clone(), points.clone()
    moving[:, 9:, 0] += 0.02
    openings = torch.ones(1, 16)
    assert int(carried_out(memory, still, openings, 4)) == 4
    assert int(carried_out(memory, moving, openings, 4)) == 11


def test_what_it_remembers_changes_what_it_does(vla):
    question = toy_requests(vla.settings)[0]
    first = vla.decide(vla.encode([question]), seeds=[(0, 0)])
    memory = first.raw["memory"][0].numpy()
    later = vla.decide(vla.encode([replace(question, memory=memory)]), seeds=[(0, 0)])
    assert EpisodeMemory.unpacked(later.raw["memory"]).looks.item() == 2
    assert not np.allclose(first.actions, later.actions)
    with pytest.raises(ConventionError, match="memory"):
        vla.encode([replace(question, memory=memory[1:])])


def test_the_gradient_of_an_action_reaches_eyes_and_words(vla):
    question = replace(toy_requests(vla.settings)[0], state=np.array([0.5, 0.0, 0.06, 1.0], dtype=np.float32))
    vla.zero_grad()
    vla.answer(vla.encode([question])).targets.sum().backward()
    for name in ("eyes.head.stem", "eyes.wrist.places", "reader.embedding", "hand.hidden1"):
        assert float(vla.network.get_parameter(f"{name}.weight").grad.abs().sum()) > 0
    vla.zero_grad()


def test_options_that_do_not_fit_are_refused():
    with pytest.raises(OptionError, match="image_size"):
        tiny("small", **{**TWO, "image_size": (64, 64)})
    with pytest.raises(OptionError, match="execute"):
        tiny("small", **TWO, options={"execute": 9})


def test_the_policy_for_many_episodes_at_once_refuses_it(vla, tmp_path):
    Checkpoint(vla=vla).save(tmp_path / "model")
    with pytest.raises(OptionError, match=r"small-vla\(checkpoint"):
        make_policy(f"vla(checkpoint='{tmp_path / 'model'}')")
    policy = make_policy(f"small-vla('{tmp_path / 'model'}')")
    assert policy.cameras == CAMERAS and policy.describe()["parameters"] == vla.count()
    policy.close()


@pytest.mark.render
def test_the_shipped_model_places_a_stone_from_pictures():
    """With the board, the stones and both cameras elsewhere; nothing but the observation is known."""
    made = make_policy("small-vla")
    with core.make_task(
        "place_stone", backend="mujoco", cameras=made.cameras, image_size=128, split="ci", max_steps=160,
        perturbations=["board_pose:2", "camera_orbit:2"],
    ) as env:  # fmt: skip
        result = play(env, made, 1)
        assert result.info["success"], result.info["placement"]
    made.close()


@pytest.mark.parametrize(("one", "other"), [("black", "white"), ("row 1", "row 3"), ("column 2", "column 0")])
def test_the_shipped_model_reads_what_is_said(one, other):
    """What is read changes with the words that are changed, and nothing else."""
    vla = make_policy("small-vla").vla
    question = toy_requests(vla.settings)[0]
    words = "Put the black stone on row 1, column 2."
    asked = [replace(question, instruction=text) for text in (words, words.replace(one, other))]
    first, second = (vla.answer(vla.encode([request])) for request in asked)
    changed = [int(a.argmax()) != int(b.argmax()) for a, b in zip(first.slots, second.slots, strict=True)]
    assert changed == [one == "black", "row" in one, "column" in one]


@pytest.mark.parametrize(
    "told",
    [
        {"state": np.full(4, np.nan)}, {"state": None}, {"state": "here"}, {"instruction": None},
        {"memory": np.full(99, np.inf)}, {"memory": np.array(["a"])},
    ],
)  # fmt: skip
def test_questions_without_an_answer_are_refused_for_every_family(told):
    question = toy_requests(tiny("small", **TWO).settings, 1)[0]
    with pytest.raises(ConventionError, match=f"the {next(iter(told))} of a question must be"):
        replace(question, **told)


def test_a_policy_that_needs_its_numbers_as_they_are_refuses_others(tmp_path):
    with pytest.raises(OptionError, match="threads must be"):
        make_policy("small-vla(threads=0)")
    with pytest.raises(FileError, match=r"needs float32, got torch\.bfloat16"):
        Checkpoint.load(SHIPPED, device="cpu", dtype="bfloat16")
