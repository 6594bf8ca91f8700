"""The policies that come with BOMB, and how words become policies."""

import subprocess
import sys

import numpy as np
import pytest

import core
from bomb.cli import main
from bomb.disk.files import FileError
from bomb.policies.making import make_policy, policy_class
from bomb.policies.registry import POLICIES
from bomb.policies.replay import HOLD_CHUNK, Replay
from bomb.policies.wrappers import MUTED, Blind, Mute
from bomb.rollouts.rollout import play
from core.control.actions import ActionSpec
from core.errors import ConventionError, OptionError, PolicyError, RegistrationError, UnknownNameError
from core.policy import BatchPolicy, Policy, Request
from tests.conftest import PATIENCE_S

DELTA, ABSOLUTE = (ActionSpec(mode=mode, control_hz=20) for mode in ("delta", "absolute"))


# ---- noisy_expert ---------------------------------------------------------------------------


def test_without_noise_it_is_the_expert(backend, make_env):
    env = make_env(backend)
    plain, still = play(env, make_policy("expert"), 3), play(env, make_policy("noisy_expert(0)"), 3)
    assert np.allclose(plain.record.actions, still.record.actions, atol=1e-5)
    assert still.info["success"]


def test_the_noise_of_a_step_depends_on_seed_and_step_alone(make_env):
    env = make_env("mujoco", max_steps=30)
    policy = make_policy("noisy_expert(sigma=0.005)")
    first, other, again = (play(env, policy, seed).record.actions for seed in (1, 2, 1))
    assert first.tobytes() == again.tobytes() and first.tobytes() != other.tobytes()
    fresh = play(env, make_policy("noisy_expert(0.005)"), 1).record.actions
    assert fresh.tobytes() == first.tobytes()


@pytest.mark.parametrize("mode", ["delta", "absolute"])
def test_the_noise_has_the_size_it_says_and_does_not_add_up(make_env, mode):
    """Where the noisy hand was sent, less where the expert's would have been: N(0, sigma) all along."""
    sigma, env = 0.003, make_env("mujoco", max_steps=200, action_mode=mode)
    hands, offsets = [], []

    class Watched(policy_class("noisy_expert")):
        def act(self, *args, **extras):
            action = super().act(*args, **extras)
            hands.append(self._shaken)
            offsets.append(self._shaken - self._commanded)
            return action

    result = play(env, Watched(sigma), 5)
    assert result.info["clipped"] == 0
    # Where the speed limit let it get to what it aimed at; the rest lags.
    arrived = abs(np.diff(hands, axis=0)).max(axis=1) < 0.999 * DELTA.max_step
    offsets = np.array(offsets)[1:][arrived]
    assert len(offsets) > 100
    # 300 numbers or more: the standard error of their standard deviation is 4%.
    assert 0.85 * sigma < offsets.std() < 1.15 * sigma
    assert abs(offsets.mean(axis=0)).max() < 0.3 * sigma
    assert abs(offsets[-40:].mean(axis=0)).max() < 0.6 * sigma


def test_much_noise_spoils_it(backend, make_env):
    env = make_env(backend)
    wild = make_policy("noisy_expert(0.05)")
    # 5 cm on each axis, against 10 mm: now and then one lands by chance.
    assert sum(play(env, wild, seed).info["success"] for seed in range(6)) <= 2
    assert wild.describe() == {"sigma": 0.05} and wild.privileged


@pytest.mark.parametrize("words", ["-0.1", "float", "'a'", "True", "1e999", "0.1, 0.2", "step=1"])
def test_noise_that_is_none(words):
    with pytest.raises(OptionError, match="noisy_expert"):
        make_policy(f"noisy_expert({words})")


# ---- replay ---------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_an_action_file_ends_as_the_episode_it_is_of(backend, make_env, tmp_path, suffix):
    env, file = make_env(backend), tmp_path / f"actions.{suffix}"
    played = play(env, make_policy("expert"), 4)
    if suffix == "npy":
        np.save(file, played.record.actions.astype(np.float64))
    else:
        file.write_bytes(played.record.to_bytes())
    again = play(env, make_policy(f"replay({file})"), 4)
    assert again.record.measures.tobytes() == played.record.measures.tobytes()
    assert again.info == played.info and again.info["success"]


def test_a_dataset_gives_the_episode_of_the_seed(backend, make_env, tmp_path):
    folder = tmp_path / "data"
    collect = ["collect", "--backend", "mujoco", "--split", "ci", "--hold-out", "none", "--out", str(folder)]
    assert main([*collect, "--episodes", "2", "--seed", "3"]) == 0
    env = make_env(backend)
    policies = {
        3: make_policy(f"replay({folder})"),
        4: make_policy(f"replay({folder}/episodes/episode_000004.npz)"),
    }
    for seed, policy in policies.items():
        assert play(env, policy, seed).info["success"]
    with pytest.raises(PolicyError, match="it has seeds 3, 4"):
        play(env, policies[3], 5)


def test_a_run_gives_the_episode_of_the_seed(make_env, tmp_path):
    folder = tmp_path / "run"
    ask = ["--policy", "random", "--split", "ci", "--episodes", "2", "--seed", "3", "--max-steps", "20"]
    evaluate = ["evaluate", *ask, "--cameras", "none", "--workers", "1"]
    assert main([*evaluate, "--backend", "mujoco", "--out", str(folder)]) == 0
    env = make_env("mujoco", max_steps=20)
    for seed in (4, 3):
        again = play(env, make_policy(f"replay({folder})"), seed)
        assert (
            again.record.actions.tobytes() == play(env, make_policy("random"), seed).record.actions.tobytes()
        )
    with pytest.raises(PolicyError, match="it has seeds 3"):
        play(env, make_policy(f"replay({folder})"), 5)
    with pytest.raises(
        PolicyError, match=r"no condition 'clean'; say one of them, like .*#place_stone\|mujoco"
    ):
        play(env, make_policy(f"replay({folder}#clean)"), 3)
    assert play(env, make_policy(f"replay({folder}#place_stone|mujoco|clean)"), 3)


def test_after_the_last_action_it_holds_still(make_env, tmp_path):
    np.save(tmp_path / "a.npy", [[0.5, 0, 0, 1], [0.4, 0.1, 0.2, 0.25]])
    for spec, hold in ((DELTA, [0, 0, 0, 0.25]), (ABSOLUTE, [0.4, 0.1, 0.2, 0.25])):
        policy = Replay(f"'{tmp_path / 'a.npy'}'")
        policy.reset("", 0, action_spec=spec)
        assert policy.act({}, step=0).shape == (2, 4) and policy.act({}, step=1).shape == (1, 4)
        for step in (2, 99):
            assert np.array_equal(policy.act({}, step=step), np.tile(np.float32(hold), (HOLD_CHUNK, 1)))


def test_a_recorded_action_mode_is_held_against_the_environments(make_env, tmp_path):
    record = play(make_env("mujoco", max_steps=5, action_mode="absolute"), make_policy("hold"), 1).record
    (tmp_path / "one.npz").write_bytes(record.to_bytes())
    with pytest.raises(ConventionError, match="mode 'absolute', the environment takes 'delta'"):
        play(make_env("mujoco"), make_policy(f"replay({tmp_path / 'one.npz'})"), 1)


BAD = {
    "a.npy": (np.zeros((3, 7)), r"float\[N, 4\] with N >= 1, has float64\[3, 7\]"),
    "b.npy": (np.zeros((0, 4)), r"has float64\[0, 4\]"),
    "c.npy": (np.zeros(4), r"has float64\[4\]"),
    "d.npy": (np.array([[0, 0, np.nan, 1.0]]), r"actions\[0, 2\] is nan"),
    "e.npy": (np.array([[1j] * 4]), "has complex128"),
    "f.npy": (np.array([[None] * 4]), "cannot be read"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_without_actions_is_named(name, tmp_path):
    array, words = BAD[name]
    np.save(tmp_path / name, array, allow_pickle=True)
    with pytest.raises(FileError, match=f"{name}.*{words}"):
        make_policy(f"replay({tmp_path / name})")


def test_other_files_that_cannot_be_replayed(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 no")
    (tmp_path / "b.txt").write_text("0 0 0 1")
    np.savez(tmp_path / "c.npz", states=np.zeros(3))
    for name, words in (("a.npz", "cannot be read"), ("b.txt", "cannot be read"), ("c.npz", "it has states")):
        with pytest.raises(FileError, match=words):
            make_policy(f"replay({tmp_path / name})")
    with pytest.raises(FileError, match="does not exist"):
        make_policy(f"replay({tmp_path / 'none.npy'})")
    with pytest.raises(OptionError, match="needs a file or folder"):
        make_policy("replay")
    policy = make_policy(f"replay({tmp_path})")
    with pytest.raises(FileError, match="neither a run nor a dataset"):
        policy.reset("", 0, action_spec=DELTA)


# ---- blind and mute -------------------------------------------------------------------------


class Witness(Policy):
    """Keeps what it is given."""

    wants_goal_picture, wants_step = True, True

    def reset(self, instruction, seed, *, goal_picture):
        self.words, self.goal, self.seen = [instruction], goal_picture, []

    def proceed(self, instruction):
        self.words.append(instruction)

    def act(self, observation, *, step):
        self.seen.append(observation)
        return np.zeros((1, 4))

    def describe(self):
        return {"checkpoint": "w"}


class Batched(BatchPolicy):
    """Answers with what it sees."""

    def infer(self, requests):
        return [
            np.full(
                (1, 4), request.observation["images"]["head"].mean() + len(request.observation["instruction"])
            )
            for request in requests
        ]


@pytest.mark.render
def test_the_blind_get_black_pictures_of_the_same_shape(backend, make_env):
    options = {"cameras": ("head",), "image_size": (32, 48), "modalities": ("rgb", "depth", "segmentation")}
    env, witness = make_env(backend, max_steps=3, **options), Witness()
    result = play(env, Blind.around(witness), 1)
    assert witness.goal.shape == (256, 256, 3) and not witness.goal.any()
    for seen in witness.seen:
        assert env.observation_space.contains(seen)
        assert not any(seen[key]["head"].any() for key in ("images", "depth", "segmentation"))
        assert seen["instruction"] == result.record.about["instruction"] and seen["state"].any()
    assert env.observe()["images"]["head"].any()


def test_the_mute_hear_the_same_sentence_always(make_env):
    env, witness = make_env("mujoco", max_steps=3), Witness()
    mute = Mute.around(witness)
    play(env, mute, 1)
    mute.proceed("Now the other one.")
    assert set(witness.words) == {seen["instruction"] for seen in witness.seen} == {MUTED}
    assert len(witness.words) == 2 and witness.goal.any()
    assert all(env.observation_space.contains(seen) for seen in witness.seen)


def test_wrappers_want_what_is_inside_and_say_so():
    both = Blind.around(Mute.around(Witness()))
    assert both.wants_goal_picture and both.wants_step and not both.privileged and not both.wants_action_spec
    assert both.describe() == {"checkpoint": "w", "blind": 0, "mute": MUTED}
    assert not isinstance(both, BatchPolicy)


def test_wrappers_of_a_batch_policy_are_batch_policies():
    seen = {
        "images": {"head": np.full((2, 2, 3), 7, np.uint8)},
        "state": np.zeros(4),
        "instruction": "Go on.",
    }
    ask = [Request(observation=seen, seed=1, step=0)] * 2
    for kind, answer in ((Blind, len("Go on.")), (Mute, 7 + len(MUTED))):
        wrapped = kind.around(Batched())
        assert isinstance(wrapped, BatchPolicy) and isinstance(wrapped, kind)
        assert [actions[0, 0] for actions in wrapped.infer(ask)] == [answer] * 2
        wrapped.reset("Go on.", 1)
        assert wrapped.act(seen, step=0)[0, 0] == answer
    assert seen["images"]["head"].all()


def test_a_privileged_policy_stays_privileged_inside(make_env):
    words = "blind( mute(expert) )"
    assert policy_class(words).privileged and make_policy(words).privileged
    assert not policy_class("blind(hold)").privileged
    assert issubclass(policy_class("mute(tests.bomb.test_policies:Batched)"), BatchPolicy)
    assert play(make_env("mujoco"), make_policy(words), 3).info["success"]


@pytest.mark.parametrize("words", ["blind", "mute()", "blind( )"])
def test_a_wrapper_around_nothing(words):
    with pytest.raises(OptionError, match="needs a policy in its brackets"):
        make_policy(words)


# ---- words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        ("blind(exprt)", UnknownNameError, "unknown policy 'exprt'"),
        ("blind(expert", OptionError, "lacks its closing bracket"),
        ("opnpi://host", UnknownNameError, "valid: openpi"),
        ("no.such.module:Policy", RegistrationError, "No module named 'no'"),
        ("core:Task", RegistrationError, "not a subclass of core.Policy"),
        ("core:Tusk", RegistrationError, "Tusk"),
        ("random(repeat=open)", OptionError, "must be plain values"),
        ("random(often=3)", OptionError, "cannot be made"),
    ],
)
def test_words_that_are_no_policy(words, kind, message):
    with pytest.raises(kind, match=message):
        make_policy(words)


def test_a_file_in_the_working_directory(tmp_path):
    """The installed command has the folder of scripts in its path, not the one it is called in."""
    (tmp_path / "mine.py").write_text(
        "import core\nclass Mine(core.Policy):\n    def reset(self, instruction, seed): pass\n"
        "    def act(self, observation): return [[0, 0, 0, 1]]\n"
    )
    (tmp_path / "broken.py").write_text("import core\n1 / 0\n")
    ask = "import sys; sys.path.remove(''); from bomb.cli import main; sys.exit(main(sys.argv[1:]))"
    evaluate = ["evaluate", "--backend", core.list_backends()[0], "--episodes", "1", "--max-steps", "5"]
    for policy, status, words in (
        ("mine:Mine", 0, "mine:Mine"),
        ("broken:Mine", 2, "'broken:Mine' cannot be imported: ZeroDivisionError"),
    ):
        answer = subprocess.run(
            [sys.executable, "-c", ask, *evaluate, "--cameras", "none", "--policy", policy],
            cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S,
            env={**__import__("os").environ, "PYTHONPATH": str(core.__path__[0] + "/..")},
        )  # fmt: skip
        assert answer.returncode == status, answer.stderr
        assert words in answer.stdout + answer.stderr and "Traceback" not in answer.stderr


def test_the_list_has_a_line_for_each(capsys):
    assert main(["policies"]) == 0
    lines = capsys.readouterr().out.splitlines()
    usages = (
        "blind(POLICY)",
        "mute(POLICY)",
        "noisy_expert(sigma=0.008)",
        "random(repeat=4)",
        "replay(FILE)",
    )
    for words in (*usages, "expert", "hold", "openpi://HOST:PORT", "MODULE:CLASS(...)"):
        (line,) = [line for line in lines if line.startswith(f"{words} ")]
        assert line.endswith(".")


def test_the_list_names_a_broken_plugin_and_goes_on(capsys):
    with POLICIES.temporarily({"gone": "no.such.module:Policy"}):
        assert main(["policies"]) == 1
    out = capsys.readouterr().out
    assert "cannot be used: policy 'gone' (no.such.module:Policy, from register())" in out
    assert "\nrandom(repeat=4) " in out


@pytest.mark.parametrize("mode", ["delta", "absolute"])
def test_chance_and_doing_nothing_know_the_action_mode(make_env, mode):
    env = make_env("mujoco", max_steps=20, action_mode=mode)
    play(env, make_policy("random"), 2)
    assert env.info()["clipped"] == 0
    env.reset(seed=2)
    start = env.observe()["state"]
    play(env, make_policy("hold"), 2)
    assert np.allclose(env.observe()["state"], start, atol=2e-3)


class Sees(Policy):
    """Goes down by as much as its picture is bright."""

    cameras, image_size = ("wrist",), (16, 16)

    def reset(self, instruction, seed):
        pass

    def act(self, observation):
        bright = observation["images"]["wrist"].mean() / 255
        return np.array([[0, 0, -bright, 1]], np.float32)


@pytest.mark.render
def test_a_policy_plays_from_its_pictures_while_another_camera_films(make_env):
    from bomb.runs.replaying import played

    filmed = []
    options = {"image_size": (24, 32), "max_steps": 3}
    env = make_env("mujoco", cameras=("head",), modalities=(), **options)
    result = played(Sees(), 3)(env, lambda env, info: filmed.append(env.render_camera("head").rgb.shape))
    own = make_env("mujoco", cameras=("wrist",), image_size=16, max_steps=3)
    assert np.array_equal(result.record.actions, play(own, Sees(), 3).record.actions)
    assert filmed == [(24, 32, 3)] * 4 and result.record.actions[0, 2] < -0.01
