"""Recorded episodes played again: to the last bit in the same simulator, and as films with a ring."""

import sys
from dataclasses import replace

import numpy as np
import pytest

import core
from bomb.cli import main
from bomb.integrations.rerun import distances_mm
from bomb.pictures.images import caption_height
from bomb.pictures.views import goal_in_world, project, ringed
from bomb.policies.making import make_policy
from bomb.report.loading import load_runs
from bomb.report.twins import Twins, choose, film_twins, side_by_side
from bomb.rollouts.rollout import play
from bomb.runs.replaying import again, recorded_settings
from bomb.runs.rows import Condition
from bomb.runs.store import RunStore
from core.errors import StateError, install_command
from core.perturbations.make_conditions import make_conditions
from tests.conftest import BACKENDS
from tests.report.stores import condition, row

OPTIONS = {"split": "ci", "max_steps": 60, "action_mode": "delta", "control_hz": 20, "stop_on_success": True}
SEED = 5
LEVELS = {"board_pose": 4, "action_latency": 2, "gaussian_noise@wrist": 3}


def record_of(backend, perturbations=None):
    cameras = ("wrist",) if perturbations and backend == "mujoco" else ()
    settings = OPTIONS | {"cameras": (), "perturbations": perturbations}
    if isinstance(perturbations, dict) and not cameras:
        settings["perturbations"] = {k: v for k, v in perturbations.items() if "@" not in k}
    elif cameras:
        settings |= {"cameras": cameras, "modalities": ()}
    with core.make_task("place_stone", backend=backend, **settings) as env:
        return play(env, make_policy("noisy_expert(0.01)"), SEED).record


def a_run(path, entries):
    """A store with (condition, record) of real episodes."""
    conditions = [where for where, _ in entries]
    with RunStore.create(path, {"policy": {"words": "x"}, **OPTIONS}, conditions) as store:
        for where, record in entries:
            verdict = record.about["verdict"]
            store.add(
                row(where, SEED, verdict["success"], reason=verdict["reason"],
                    verdict=verdict, goal=record.about["goal"], draws=record.about["perturbation"]),
                record.to_bytes(),
            )  # fmt: skip
    return RunStore.open(path)


def perturbed(backend, levels, label="mixture"):
    return Condition(
        key=f"{backend}|{label}", task="place_stone", backend=backend, split="ci", perturbation=label,
        category="mixture", levels=levels,
    )  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_series_comes_out_bit_for_bit(tmp_path, backend):
    levels = {"board_pose": 4, "action_latency": 2, "action_noise": 3}
    where, record = perturbed(backend, levels), record_of(backend, levels)
    with a_run(tmp_path / "run", [(where, record)]) as store:
        settings = recorded_settings(store.settings(), where, store.record(where.key, SEED), None)
    with core.make_environment(settings) as env:
        result = again(record)(env, lambda env, info: None)
    assert result.record.about["verdict"] == record.about["verdict"]
    assert (result.record.measures == record.measures).all() and (result.record.tools == record.tools).all()
    assert result.record.about["perturbation"] == record.about["perturbation"]


def test_draws_come_out_of_the_record_and_not_out_of_a_file_or_todays_ranges(tmp_path):
    conditions = make_conditions("place_stone", {"board_pose": 3}, split="ci", seeds=[SEED])
    record = record_of("mujoco", conditions)
    where = perturbed("mujoco", {"board_pose": 3}, "moved_away.json#12345678")
    about = record.about | {
        "perturbation": {
            "board_pose": record.about["perturbation"]["board_pose"] | {"shift_m": [0.02, 0.01]},
            "twin": record.about["perturbation"]["twin"],
        }
    }
    record = replace(record, about=about)
    with a_run(tmp_path / "run", [(where, record)]) as store:
        settings = recorded_settings(store.settings(), where, record, None)
    with core.make_environment(settings) as env:
        env.reset(seed=SEED)
        assert env.episode.perturbation["board_pose"]["shift_m"] == [0.02, 0.01]


def test_knobs_of_cameras_that_do_not_look_are_left_out(tmp_path):
    where, record = perturbed("mujoco", LEVELS), record_of("mujoco", LEVELS)
    with a_run(tmp_path / "run", [(where, record)]) as store:
        head, wrist = (recorded_settings(store.settings(), where, record, view) for view in ("head", "wrist"))
    assert set(head.perturbations.levels) == {"board_pose", "action_latency"}
    assert set(wrist.perturbations.levels) == set(LEVELS)


def test_another_goal_than_recorded_is_refused(tmp_path):
    where, record = condition(), record_of("mujoco")
    other = replace(record, about=record.about | {"goal": record.about["goal"] | {"row": 99}})
    with a_run(tmp_path / "run", [(where, other)]) as store:
        settings = recorded_settings(store.settings(), where, other, None)
    with core.make_environment(settings) as env, pytest.raises(StateError, match="another version"):
        again(other)(env, lambda env, info: None)


def test_the_most_telling_pairs_are_chosen():
    clean = {backend: condition(backend=backend) for backend in BACKENDS}
    worse = {backend: condition("board_pose:3", backend) for backend in BACKENDS}
    words = condition("words:letters", "mujoco")
    rows = [row(where, seed, True) for where in clean.values() for seed in range(8)]
    rows += [
        row(worse["mujoco"], seed, seed < 3, reason="dropped" if seed == 3 else "still_held")
        for seed in range(8)
    ]
    rows += [row(worse["robotwin"], seed, seed < 7) for seed in range(8)]
    rows += [row(words, seed, seed < 6) for seed in range(8)]
    rows += [row(condition("table_color:5", "mujoco"), seed, True) for seed in range(8)]
    conditions = [*clean.values(), *worse.values(), words, condition("table_color:5", "mujoco")]
    chosen = choose(conditions, rows, 9)
    kinds = [
        (pair.perturbed[0].perturbation, pair.perturbed[0].backend, pair.perturbed[1].seed) for pair in chosen
    ]
    # First the one that broke most, with its most frequent reason; then what is most unlike it; what broke
    # nothing is not among them.
    assert kinds == [
        ("board_pose:3", "mujoco", 4),
        ("words:letters", "mujoco", 6),
        ("board_pose:3", "robotwin", 7),
    ]
    assert all(pair.clean[1].success and not pair.perturbed[1].success for pair in chosen)
    assert all(pair.clean[1].seed == pair.perturbed[1].seed for pair in chosen)
    assert len(choose(conditions, rows, 1)) == 1
    other_goal = [
        replace(r, draws={"twin": {"goal": False}}) if r.condition == words.key else r for r in rows
    ]
    assert words.key not in {pair.perturbed[0].key for pair in choose(conditions, other_goal, 9)}


@pytest.mark.render
@pytest.mark.parametrize("backend", BACKENDS)
def test_films_have_a_ring_around_the_target_and_policies_do_not_see_it(tmp_path, backend):
    where, levels = condition(backend=backend), {"board_pose": 5}
    worse = perturbed(backend, levels)
    records = [(where, record_of(backend)), (worse, record_of(backend, levels))]
    records = [(c, replace(r, actions=r.actions[:6])) for c, r in records]
    with a_run(tmp_path / "run", records) as store:
        rows = {found.condition: found for found in store.episodes()}
        pair = Twins(clean=(where, rows[where.key]), perturbed=(worse, rows[worse.key]), share=1.0)
        (loaded,) = load_runs([tmp_path / "run"])
        films, _ = film_twins(loaded, pair)
        settings = recorded_settings(store.settings(), worse, records[1][1], "head")
    with core.make_environment(replace(settings, max_steps=6)) as env:
        observation, _ = env.reset(seed=SEED)
        scene, seen = env.episode.scene, observation["images"]["head"]
        marked = ringed(env, "head", seen)
    (middle,) = project(scene.cameras[0], goal_in_world(scene, env.episode.goal)[None], seen.shape[:2])
    distance = np.linalg.norm(np.argwhere((marked != seen).any(axis=-1)) - middle, axis=1)
    assert len(distance) >= 20 and distance.max() < 16 and distance.min() > 1.5
    assert pink(films[0].frames[0]) >= 20 and pink(films[1].frames[0]) >= 20
    assert pink(seen) == 0
    (frame, *_) = side_by_side(films, ("clean", "perturbed"))
    height, width = films[0].frames[0].shape[:2]
    top = caption_height(width)
    assert (frame[top : top + height, :width] == films[0].frames[0]).all()
    assert (frame[top : top + height, -width:] == films[1].frames[0]).all()


def pink(picture) -> int:
    """How many pixels have a colour that only the ring has."""
    red, green, blue = picture.astype(int).transpose(2, 0, 1)
    return int(((red > green + 60) & (blue > green + 15)).sum())


def test_files_for_rerun_are_refused_before_anything_is_played(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rerun", None)
    monkeypatch.chdir(tmp_path)
    assert main(["view", "--rerun", "episode.mp4"]) == 2
    assert "--rerun must end with one of .rrd" in capsys.readouterr().err
    assert main(["view", "--rerun", "episode.rrd"]) == 2
    assert install_command("rerun") in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_distance_over_time_is_that_of_the_judged_stone():
    record = record_of("mujoco")
    distances = distances_mm(record)
    assert distances.shape == record.times.shape
    assert distances[-1] == pytest.approx(record.about["verdict"]["distance_mm"], abs=1e-3)
    pattern = replace(record, about=record.about | {"goal": {"kind": "pattern", "stones": []}})
    assert distances_mm(pattern) is None
