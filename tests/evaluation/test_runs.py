"""Runs: kept, taken up again, their errors, what is stored of them, judged again."""

import json

import numpy as np
import pytest

import bomb
from bomb.cli.evaluate_output import summary_words
from bomb.disk.files import FileError
from bomb.evaluation import ExecutionSettings, evaluate, runner
from bomb.evaluation.workers.description import checked_description
from bomb.policies.making import make_policy
from bomb.policies.registry import POLICIES
from bomb.runs.rescoring import rescore
from bomb.runs.states import unpack_states
from bomb.runs.store import RunStore
from core.errors import ConventionError, OptionError, StateError, UnknownNameError
from core.registry import TASKS, register_task
from tests.conftest import BACKENDS
from tests.evaluation.conftest import ONE, settings
from tests.evaluation.policies import HERE


def test_a_matrix_is_kept_and_taken_up_again(run):
    asked = {"backends": BACKENDS, "perturbations": ("clean", "friction:2"), "seed": 5}
    first, store = run(settings(**asked), workers=2)
    assert first["complete"] and [entry["n"] for entry in first["conditions"]] == [3] * 4
    json.dumps(first, allow_nan=False)
    words = summary_words(first).splitlines()
    assert [line.split()[0] for line in words[2:6]] == [c.key for c in store.conditions()]
    assert "0.0%  [0.0%, 56.1%]" in words[2] and "never reached" in words[2]
    before = store.episodes()
    assert [(row.condition, row.seed) for row in before] == [
        (condition.key, seed) for condition in store.conditions() for seed in (5, 6, 7)
    ]
    again, store = run(settings(**asked, episodes=4))
    assert again["complete"] and {entry["n"] for entry in again["conditions"]} == {4}
    assert [row for row in store.episodes() if row.seed < 8] == before
    # The same seeds make pairs: goals are equal across conditions, the draws of a knob across simulators.
    clean, other, rough, twin = (store.episodes(condition.key) for condition in store.conditions())
    assert [row.goal for row in clean] == [row.goal for row in other] == [row.goal for row in rough]
    assert [row.draws for row in rough] == [row.draws for row in twin] and rough[0].draws["twin"]["goal"]


def test_a_row_says_all_that_is_promised(run):
    result, store = run(settings("expert", max_steps=300, episodes=1, seed=5))
    (row,) = store.episodes()
    assert row.success and row.reason == "none" and row.reasons == [] and row.privileged
    assert row.stages["placed"] and row.stages["int_act/success"] and row.distance_mm < 10
    assert row.steps == len(store.record(row.condition, 5).actions) == 300 and row.timing["looks"] == 300
    assert row.actions["path_m"] > 0.5 and len(row.actions["mean"]) == 4
    assert row.instruction and row.started < row.finished and ":" in row.worker
    about = store.settings()
    assert about["policy"]["privileged"] and about["versions"]["mujoco"] and about["hardware"]["cores"] >= 1
    assert about["renderer"] is None and about["supersample"] == 1 and about["chunk"] == "full"
    assert result["n"] == 1 and result["success_rate"] == 1.0 and result["backend"] == ONE
    same = rescore(store)
    assert same.identical and same.changed == 0 and same.n == 1
    assert same.privileged and same.to_dict()["privileged"] and same.to_dict()["policy"] == "expert"
    strict = rescore(store, {"distance": 1e-6})
    assert strict.conditions[0].changed == {5: ("success", "beyond_tolerance")}
    assert strict.tolerances["distance"] == 1e-6 and not strict.identical


def test_other_settings_are_refused_by_name(run, tmp_path):
    run(settings(episodes=1))
    with pytest.raises(OptionError, match="max_steps = 3, not 4"):
        run(settings(episodes=1, max_steps=4))
    with pytest.raises(OptionError, match=r"perturbations = \['clean'\], not \['friction:1'\]"):
        run(settings(episodes=1, perturbations=("friction:1",)))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("dear")
    with pytest.raises(FileError, match="holds no run"):
        evaluate(settings(), tmp_path / "other")


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"backends": ("bullet",)}, UnknownNameError, "unknown backend 'bullet'"),
        ({"policy": "expert(3)"}, OptionError, r"policy 'expert\(3\)' cannot be made"),
        ({"perturbations": ("noise:3",)}, UnknownNameError, "unknown perturbation 'noise'"),
    ],
)
def test_a_wrong_question_leaves_no_folder(tmp_path, changes, kind, words):
    with pytest.raises(kind, match=words):
        evaluate(settings(**{"policy": "hold", **changes}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_errors_are_no_failures_and_say_what_was_wrong(run):
    result, store = run(settings("Faulty", episodes=6, max_steps=4), policy_timeout=2.0)
    assert (
        result["n"] == 1 and not result["complete"] and sorted(result["errors"]) == ["1", "2", "3", "4", "5"]
    )
    assert [row.seed for row in store.episodes()] == [0]
    said = {error.seed: (error.kind, error.step, error.value) for error in store.errors()}
    assert said == {
        1: ("policy", 2, None),
        2: ("policy", 2, "nan in action 0, entry 1"),
        3: ("policy", 2, "shape (4,)"),
        4: ("timeout", 2, "no answer in 2 s"),
        5: ("worker", 2, "was ended by SIGKILL"),
    }
    assert "clumsy" in store.errors()[0].message and "RuntimeError" in store.errors()[0].traceback


def test_errors_are_retried(run, tmp_path):
    (tmp_path / "marks").mkdir()
    asked = settings(f"Faulty({str(tmp_path / 'marks')!r})", max_steps=4, seed=1, episodes=2)
    result, store = run(asked, retries=1)
    assert result["complete"] and result["errors"] == {} and result["errors_in_all"] == 2
    assert [(row.seed, row.attempt) for row in store.episodes()] == [(1, 2), (2, 2)]
    assert store.unplayed() == []


def test_a_run_in_which_nothing_works_ends(run, monkeypatch):
    monkeypatch.setattr(runner, "ENOUGH_ERRORS", 4)
    asked = settings("Faulty", seed=1, episodes=3)
    result, store = run(asked, retries=2)
    assert "4 errors in a row, the last: Faulty" in result["stopped"] and not result["complete"]
    assert result["n"] == 0 and result["success_rate"] is None and len(store.errors()) == 4


def test_the_training_split_is_refused_unless_asked_for(run, tmp_path):
    words = f"Batched({str(tmp_path)!r})"
    with pytest.raises(OptionError, match=r"was trained on split 'train'.*--allow-training-split"):
        run(settings(words, split="train"))
    assert not (tmp_path / "run").exists()
    result, store = run(settings(words, split="train", allow_training_split=True))
    assert result["complete"] and store.settings()["trained_on"] == [{"split": "train"}]


def test_what_a_policy_says_of_itself_is_checked_first(tmp_path):
    with pytest.raises(OptionError, match=r"plain values for JSON: .*int64"):
        evaluate(settings("Boasting()"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("'expert'", "must return a dict, got 'expert'"),
        ("{'split': 'train'}", "trained_on .* must be a list of datasets.*got {'split': 'train'}"),
        ("['train']", r"trained_on .* must be a list of datasets.*got \['train'\]"),
        ("[{'split': ['train']}]", "trained_on .* must be a list of datasets"),
    ],
)
def test_what_no_policy_may_say_of_itself(said, words):
    with pytest.raises(OptionError, match=words):
        checked_description(make_policy(f"{HERE}:Boasting({said})").describe())


@pytest.mark.parametrize("wrong", [{"action_mode": "absolute"}, {"control_hz": 10}])
def test_actions_that_mean_something_else_are_refused(run, tmp_path, wrong):
    ((name, asked),) = wrong.items()
    with pytest.raises(ConventionError, match=f"acts with {name} .*evaluated with {asked!r}"):
        run(settings(f"Batched({str(tmp_path)!r})", **wrong))
    assert not (tmp_path / "run").exists()


def test_recorded_actions_are_played_in_their_own_episodes(run, tmp_path):
    _, store = run(settings("expert", max_steps=10, episodes=2))
    again = f"replay({tmp_path / 'run'})"
    for wrong, words in (
        ({"split": "test"}, "has the actions of split 'ci'.*--split ci"),
        ({"control_hz": 10}, "acts with control_hz 20"),
    ):
        with pytest.raises(ConventionError, match=words):
            evaluate(settings(again, **wrong), tmp_path / "again")
    evaluate(settings(again, max_steps=10, episodes=2), tmp_path / "again")
    with RunStore.open(tmp_path / "again") as replayed:
        assert [row.distance_mm for row in replayed.episodes()] == [
            row.distance_mm for row in store.episodes()
        ]
        assert replayed.settings()["policy"]["describe"]["recorded"] == {
            "policy": "expert",
            "privileged": True,
        }


def test_states_are_kept_as_asked(run):
    _, store = run(settings(episodes=2), states="failures")
    (row, _) = store.episodes()
    states = unpack_states(store.states(row.condition, row.seed))
    assert len(states) == 3 + 2 and store.with_states() == {(row.condition, 0), (row.condition, 1)}
    assert states[0].stone_poses.dtype == np.float32
    with pytest.raises(StateError, match="damaged"):
        unpack_states(store.states(row.condition, row.seed)[:-10])
    with pytest.raises(OptionError, match="need a run folder"):
        evaluate(settings(), execution=ExecutionSettings(states="all"))


@pytest.mark.render
@pytest.mark.parametrize("cameras", [(), ("front",)], ids=["blind", "seeing"])
def test_videos_are_drawn_whether_the_policy_sees_or_not(run, tmp_path, cameras):
    import av

    asked = settings(episodes=1, cameras=cameras, image_size=(48, 64))
    run(asked, videos="all")
    files = sorted((tmp_path / "run" / "videos").iterdir())
    assert [file.name for file in files] == [f"place_stone_{ONE}_clean_000000.mp4"]
    with av.open(str(files[0])) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert len(frames) == 3 + 2 and frames[0].shape == (48, 64, 3) and frames[0].std() > 5


def test_results_without_a_folder():
    result = evaluate(settings(episodes=1))
    assert result["n"] == 1 and result["complete"]
    with pytest.raises(FileError, match="does not exist"):
        RunStore.open("/nowhere")


def test_workers_know_what_was_registered_at_run_time(run):
    with TASKS.temporarily(), POLICIES.temporarily():
        register_task("stone_again", "tasks.place_stone:PlaceStone")
        bomb.register_policy("expert_again", "bomb.policies.expert:Expert")
        result, store = run(settings(policy="expert_again", tasks=("stone_again",), episodes=1))
    assert (
        result["privileged"]
        and result["complete"]
        and [row.condition.split("|")[0] for row in store.episodes()] == ["stone_again"]
    )
