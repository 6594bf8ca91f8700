"""NumPy's numbers and lists will do wherever a number is taken; what is none is refused in words of ours."""

import inspect
import json
import re
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

import bomb
import core
from bomb.cli import USAGE_ERROR, main
from bomb.collecting.collecting import collect
from bomb.demonstrations.moments import Moments
from bomb.demonstrations.rendering import RenderSettings
from bomb.demonstrations.settings import CollectionSettings
from bomb.explanation.settings import ExplanationSettings
from bomb.exports import export
from bomb.exports.settings import ExportSettings
from bomb.policies.making import make_policy
from bomb.policies.noisy import NoisyExpert
from bomb.policies.simple import RandomPolicy
from bomb.policies.varied import VariedExpert
from bomb.rollouts.chunks import ChunkExecution
from bomb.rollouts.rollout import play
from core.control.actions import ActionSpec
from core.errors import BombError
from core.rendering.observation import ObservationSpec
from core.rendering.sight import Sight
from tasks.place_stone import PlaceStone
from tests.evaluation.conftest import ONE
from tests.exports.conftest import make_dataset
from tests.report.stores import condition, make_run

# Whatever users make with options of their own: a class to valid options beside its defaults.
MADE = {
    ActionSpec: {"mode": "delta", "control_hz": 20, "deeper": 0.5},
    ChunkExecution: {"mode": "count", "count": 2},
    ExplanationSettings: {"policy": "hold", "backends": (ONE,), "seeds": (1, 2)},
    Moments: {"count": 2},
    RenderSettings: {"backend": ONE, "supersample": 2},
    CollectionSettings: {"backends": (ONE,), "split": "ci", "max_steps": 7},
    ExportSettings: {"format": "lerobot", "backend": ONE, "supersample": 2, "columns": ("depth",)},
    Sight: {"cameras": ("head",), "image_size": (64, 96), "modalities": ("rgb",)},
    ObservationSpec: {"cameras": ("head",), "image_size": (64, 96), "modalities": ("rgb",)},
    bomb.EnvironmentSettings: {
        "backend": ONE,
        "supersample": 2,
        "max_steps": 7,
        "perturbations": ("bomb:2",),
    },
    bomb.EvaluationSettings: {"policy": "hold", "backends": (ONE,), "max_steps": 7, "cameras": ("head",)},
    bomb.ExecutionSettings: {"workers": 2},
    core.Actuation: {},
    core.Intersection: {"color": "black", "row": 1, "column": 2, "source": (3, 4)},
    core.Region: {"color": "black", "center": (0.25, 0.5), "half_size": (0.5, 0.25), "source": (3, 4)},
    core.Span: {"start": 1, "end": 2},
    core.Tolerances: {},
    core.Wording: {"words": "letters", "choice": 0.5, "other": 3},
}
COLLECTED = CollectionSettings(**MADE[CollectionSettings])
FOREIGN = [
    "x",
    b"x",
    (),
    ("x",),
    {"a": 1},
    {1},
    object(),
    [[1]],
    np.zeros(3),
    float("nan"),
    1e400,
    -1,
    1.5,
    None,
]
# Data that BOMB makes itself, and parts of scenes, whose numbers go into arrays.
OURS = {
    "BoardSpec", "CameraImage", "CameraSpec", "ContactForce", "Episode", "EpisodeRecord", "EpisodeResult",
    "Estimate", "Instruction", "LightSpec", "MarkSpec", "MaterialSpec", "Move", "ObjectSpec", "Pattern",
    "Phrasing", "PhysicsSpec", "Request", "RobotSpec", "SceneSpec", "SceneState", "StoneSpec", "TableSpec",
    "TextureSpec",
}  # fmt: skip


def numpy_of(value: object) -> object:
    """The same of NumPy's types."""
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int):
        return np.int64(value)
    if isinstance(value, float):
        return np.float32(value) if float(np.float32(value)) == value else np.float64(value)
    return [numpy_of(entry) for entry in value] if isinstance(value, tuple) else value


def plain(value: object) -> bool:
    """Whether there is nothing but Python's own types in it."""
    if isinstance(value, tuple | list):
        return all(map(plain, value))
    return value is None or type(value) in (bool, int, float, str, dict)


OPTIONS = [(kind, option.name) for kind in MADE for option in fields(kind)]


def test_every_public_dataclass_is_tried_here():
    classes = {name: getattr(bomb, name) for name in bomb.__all__}
    public = {name for name, kind in classes.items() if inspect.isclass(kind) and is_dataclass(kind)}
    assert public == OURS | {kind.__name__ for kind in MADE if kind.__name__ in bomb.__all__}


@pytest.mark.parametrize(("kind", "name"), OPTIONS, ids=lambda value: getattr(value, "__name__", value))
def test_numpy_will_do_for_every_option(kind, name):
    made = kind(**MADE[kind])
    value = getattr(made, name)
    again = replace(made, **{name: numpy_of(value)})
    assert again == made
    assert plain(getattr(again, name)), getattr(again, name)


@pytest.mark.parametrize(("kind", "name"), OPTIONS, ids=lambda value: getattr(value, "__name__", value))
def test_what_is_no_value_is_refused_in_words_of_ours(kind, name):
    for value in FOREIGN:
        try:
            made = kind(**{**MADE[kind], name: value})
        except BombError as error:
            assert "\n" not in str(error)
        else:
            assert plain(getattr(made, name)), (value, getattr(made, name))


CALLS = {
    "make_vec": lambda env, data, out, number: bomb.make_vec(number, backend=ONE, cameras=()),
    "collect": lambda env, data, out, number: collect(COLLECTED, number, out),
    "collect, workers": lambda env, data, out, number: collect(COLLECTED, 1, out, workers=number),
    "export, workers": lambda env, data, out, number: export(
        data.path, "lerobot", out, workers=number, bars=False
    ),
    "random": lambda env, data, out, number: RandomPolicy(repeat=number),
    "noisy_expert": lambda env, data, out, number: NoisyExpert(number),
    "varied_expert": lambda env, data, out, number: VariedExpert(number),
    "reset": lambda env, data, out, number: env.reset(seed=number),
    "play": lambda env, data, out, number: play(env, make_policy("hold"), number),
    "stream": lambda env, data, out, number: core.stream("ci", number, "goal"),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A dataset of one short piece."""
    return make_dataset(tmp_path_factory.mktemp("data") / "data", episodes=1, steps=2)


@pytest.mark.parametrize("call", CALLS)
def test_calls_refuse_what_is_no_number(call, make_env, data, tmp_path):
    env = make_env(ONE, max_steps=1)
    for value in ("x", b"x", (1,), object(), np.zeros(3), float("nan"), -1, None):
        if call in ("reset", "play") and value is None:
            continue  # gymnasium's word for any seed
        with pytest.raises(BombError) as error:
            CALLS[call](env, data, tmp_path / "out", value)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("demo", "--timeout", "nan"), "timeout"),
        (("demo", "--policy-episodes", "-1"), "policy_episodes"),
        (("doctor", "--timeout", "inf"), "--timeout"),
        (("doctor", "--timeout", "1e300"), "--timeout"),
        (("explain", "--policy", "hold", "--backend", ONE, "--seeds", "9" * 20), "seed"),
        (("gallery", "--size", "-1"), "--size"),
        (("parity", "--seed", str(2**63)), "seed"),
        (("render", "DATA", "--backend", ONE, "--workers", "0"), "workers"),
        (("replay", "DATA", "--workers", "0"), "workers"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else value,
)
def test_verbs_refuse_numbers_out_of_range_in_a_line(words, option, data, tmp_path, capsys):
    out = ("--out", str(tmp_path / "out")) if words[0] in ("demo", "explain", "render") else ()
    assert main([str(data.path) if word == "DATA" else word for word in words] + [*out]) == USAGE_ERROR
    told = capsys.readouterr().err
    assert re.fullmatch(rf"bomb {words[0]}: {option} must be .*\n", told), told
    assert not (tmp_path / "out").exists()


def test_calls_take_numpy(make_env):
    env = make_env(ONE, max_steps=np.int32(2))
    result = play(env, RandomPolicy(repeat=np.int16(2)), np.uint8(3), chunks=ChunkExecution.parse("2"))
    assert json.loads(json.dumps(result.info))["perturbation"] == {}
    assert (core.stream("ci", np.int64(3), "goal").random(2) == core.stream("ci", 3, "goal").random(2)).all()
    vector = bomb.make_vec(np.int64(2), backend=ONE, cameras=(), max_steps=np.int64(2))
    observations, _ = vector.reset(seed=[np.int64(3), np.int64(4)])
    assert vector.num_envs == 2 and observations["state"].shape == (2, 4)
    vector.close()
    assert NoisyExpert(np.float32(0.5)).describe()["sigma"] == 0.5
    assert VariedExpert(np.float32(0.5)).describe()["level"] == 0.5


class Counted(PlaceStone):
    """A task of somebody who draws everything with NumPy."""

    def make_episode(self, scene, *, split, seed):
        episode = super().make_episode(scene, split=split, seed=seed)
        goal = replace(episode.goal, row=np.int64(episode.goal.row), column=np.int8(episode.goal.column))
        spans = {
            name: core.Span(start=np.int64(span.start), end=np.int64(span.end))
            for name, span in episode.instruction.spans.items()
        }
        move = core.Move(goal=goal, instruction=replace(episode.instruction, spans=spans))
        return replace(episode, moves=(move,), seed=np.int64(seed), later_moves=np.int64(0))


def test_what_tasks_draw_with_numpy_can_be_written_down():
    with core.make_task(Counted(), backend=ONE, cameras=(), max_steps=1) as env:
        _, info = env.reset(seed=3)
        assert json.dumps(info["goal"]) and json.dumps(info["spans"])
        *_, info = env.step(env.hold_action())
        assert json.loads(json.dumps(info))["goal"]
        assert env.episode_record().to_bytes()


def test_limits_of_another_judgement_are_checked(tmp_path):
    run = make_run(tmp_path / "run", lambda condition, seed: True, conditions=[condition()])
    with bomb.RunStore.open(run) as store:
        for changes in ({"distanse": 0.1}, {"distance": "x"}, {"distance": float("nan")}, {"tilt": -1}):
            with pytest.raises(BombError, match=r"distan|tilt"):
                bomb.rescore(store, changes)
