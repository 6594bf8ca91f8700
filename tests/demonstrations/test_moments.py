"""Which moments of demonstrations are drawn, and in how many visual draws."""

import numpy as np
import pytest
from PIL import Image

import core
from bomb.collecting.recording import record_episode
from bomb.demonstrations.moments import Moments
from bomb.demonstrations.pictures import Renderer
from bomb.demonstrations.rendering import RenderSettings, render_dataset
from bomb.policies.expert import Expert
from core.errors import OptionError
from tests.demonstrations.conftest import BACKENDS, settings
from tests.exports.conftest import make_dataset

VISUAL = {"table_texture": "seen", "camera_orbit": 4, "light_color": 4, "gaussian_noise": 2}


def chosen(candidates, **options) -> list[int]:
    draw = options.pop("visual_draw", 0)
    rows = Moments(**options).rows(np.array(candidates), split="ci", seed=3, visual_draw=draw)
    return rows.tolist()


def test_moments_are_every_kth_or_spread_over_the_episode():
    assert chosen(range(7)) == [*range(7)] and chosen(range(7), every=3) == [0, 3, 6]
    assert chosen([1, 3, 4, 6, 9], every=3) == [3, 6, 9]  # what is left out otherwise stays left out
    drawn = chosen(range(100), count=4)
    assert [t // 25 for t in drawn] == [0, 1, 2, 3] and drawn == chosen(range(100), count=4)
    assert chosen(range(100), count=4, visual_draw=1) != drawn
    assert chosen([5, 8], count=4) == [5, 8] and len(chosen(range(5), count=4)) == 4
    every = {row for draw in range(60) for row in chosen(range(10), count=2, visual_draw=draw)}
    assert every == set(range(10))  # none is out of reach
    for wrong in ({"every": 0}, {"count": 0}, {"every": 2, "count": 3}):
        with pytest.raises(OptionError):
            Moments(**wrong)


def test_another_draw_changes_what_is_seen_and_nothing_else(make_env):
    """In the world's own words: the state, the goal and the physics of every draw are those of the first."""
    levels = {**VISUAL, "board_pose": 3, "friction": 3, "words": "paraphrase_seen"}
    env = make_env(BACKENDS[0], perturbations=levels)
    episodes = []
    for draw in (0, 1, 2, 1):
        env.begin(seed=5, visual_draw=draw)
        episodes.append(env.episode)
    first, second, third, again = episodes
    assert again.perturbation == second.perturbation and again.instruction == second.instruction
    assert env.settings.suite.draw("ci", 5) == env.settings.suite.draw("ci", 5, 0)
    for other in (second, third):
        assert other.state == first.state and other.goal == first.goal
        for knob in ("board_pose", "friction"):
            assert other.perturbation[knob] == first.perturbation[knob]
        for knob in VISUAL:
            assert other.perturbation[knob] != first.perturbation[knob]
    assert second.perturbation["camera_orbit"] != third.perturbation["camera_orbit"]
    assert second.perturbation["camera_orbit"]["visual_draw"] == 1
    assert len({episode.instruction.text for episode in episodes}) > 1


@pytest.mark.render
def test_a_dataset_is_drawn_in_draws_of_its_own_knobs_too(backend):
    """Collected with visual knobs: draw 0 is what was played in, the others are drawn anew and repeat."""
    collected = settings(backends=(backend,), perturbations=VISUAL)
    env = core.make_environment(collected.environment(backend))
    made = record_episode(env, Expert(), 4)
    env.close()
    drawing = Renderer(collected.to_dict(), backend=backend, image_size=(32, 32))
    pictures = [
        next(iter(drawing.moments(made, [10], visual_draw=d)))["images"]["head"] for d in (0, 1, 0, 1)
    ]
    (view,) = drawing.views(made, "head", [10], visual_draw=1)
    drawing.close()
    assert (pictures[0] == pictures[2]).all() and (pictures[1] == pictures[3]).all()
    assert abs(pictures[0].astype(int) - pictures[1]).mean() > 5 and (view == pictures[1]).all()


@pytest.mark.render
def test_rendered_files_say_moment_and_draw_and_resume(tmp_path):
    dataset = make_dataset(tmp_path / "data", episodes=1, steps=9)
    asked = RenderSettings(
        backend="mujoco", image_size=(16, 16), kind="png", moments=3, visual_draws=2, perturbations=VISUAL
    )
    render_dataset(dataset, asked, tmp_path / "out")
    folders = [tmp_path / "out" / "head" / name for name in ("episode_000000", "episode_000000_draw1")]
    names = [[file.stem for file in sorted(folder.iterdir())] for folder in folders]
    assert [[int(stem) // 3 for stem in stems] for stems in names] == [[0, 1, 2]] * 2
    drawing = asked.renderer(dataset)
    rows = [int(stem) for stem in names[1]]
    for row, picture in zip(rows, drawing.views(dataset.load(0), "head", rows, visual_draw=1), strict=True):
        assert (np.asarray(Image.open(folders[1] / f"{row:06d}.png")) == picture).all()
    drawing.close()
    last = folders[1] / f"{names[1][-1]}.png"
    before = last.read_bytes()
    last.unlink()
    render_dataset(dataset, asked, tmp_path / "out")
    assert last.read_bytes() == before
    with pytest.raises(OptionError, match="visual_draws = 2, not 3"):
        other = RenderSettings(**{**vars(asked), "visual_draws": 3})
        render_dataset(dataset, other, tmp_path / "out")
