"""What is read: drawn once, whole, in the order of a counter; chunks end with the episode."""

import numpy as np
import pytest

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.pictures import Renderer
from bomb.demonstrations.stages import STAGES, stages_of
from bomb.disk.files import FileError
from bomb.exports.columns import STONES
from bomb.models.requests import Request
from bomb.training.augmentation import augmented
from bomb.training.building import make_model
from bomb.training.data import SampleReader, check_alike, phases_of, statistics_of
from bomb.training.data_recipe import DataRecipe, PhaseRecipe, SourceRecipe
from bomb.training.recipe import AugmentationRecipe
from bomb.training.sampler import Phase, Sampler, epochs
from bomb.training.sources import chosen, open_sources
from core.errors import ConventionError, OptionError
from tests.training.conftest import EVERY, SIDE, changed, recipe

pytestmark = pytest.mark.render


def test_stages_follow_one_another(demonstrations):
    for demonstration in Dataset.open(demonstrations):
        stages = stages_of(demonstration)
        assert sorted(set(stages)) == list(range(len(STAGES))) and (np.diff(stages) >= 0).all()
        held = stages[demonstration.actions[:, 3] < 0.05]
        assert set(held) <= {STAGES.index(name) for name in ("grasp", "lift", "carry", "place")}


def test_what_is_drawn_is_what_a_policy_sees(demonstrations, sources):
    (source,) = sources(recipe())
    dataset = Dataset.open(demonstrations)
    frames = next(f for f in source.frames if f.about["settings"]["backend"] == "mujoco")
    episode = frames.episodes[0]
    demonstration = dataset.load(episode.number)
    renderer = Renderer(dataset.settings, backend="mujoco", image_size=(SIDE, SIDE), supersample=1)
    rows = [EVERY, 2 * EVERY]
    for k, seen in zip((1, 2), renderer.moments(demonstration, rows), strict=True):
        assert (frames.pictures(0, k)[0] == seen["images"]["head"]).all()
        assert (episode.states[k] == seen["state"]).all()
        assert episode.texts[episode.asked[k]] == seen["instruction"]
    renderer.close()
    np.testing.assert_array_equal(episode.actions, demonstration.actions)
    shapes = {name: label.shape[1:] for name, label in episode.labels.items()}
    assert shapes == {
        "stone": (), "target_position": (4,), "stone_positions": (STONES, 4), "board_corners": (4, 3),
        "commanded_target": (3,), "stone_pixels": (1, STONES, 3), "intrinsics": (1, 3, 3),
        "extrinsics": (1, 4, 4),
    }  # fmt: skip
    taken = episode.labels["stone_positions"][np.arange(len(episode)), episode.labels["stone"]]
    target = episode.labels["target_position"]
    assert taken[:, 3].all() and np.linalg.norm(taken[0] - target[0]) > 0.03
    assert np.linalg.norm(taken[-1, :2] - target[-1, :2]) < 0.02  # the last moment is near the end
    goal = demonstration.about["goal"]
    assert (episode.cells == [goal["row"], goal["column"]]).all()


def test_only_what_is_missing_is_drawn(demonstrations, store, sources):
    (source,) = sources(recipe())
    frames = max(source.frames, key=lambda there: len(there.episodes))
    first, second = sorted(frames.folder.glob("episode_*.npz"))[:2]
    pictures = first.with_suffix(".npy")
    before, untouched = pictures.read_bytes(), second.with_suffix(".npy").stat().st_mtime_ns
    first.unlink()  # as if the process had been killed before it had said that the episode is whole
    pictures.write_bytes(before[:100])
    (again,) = sources(recipe())
    assert pictures.read_bytes() == before and second.with_suffix(".npy").stat().st_mtime_ns == untouched
    np.testing.assert_array_equal(again.learned, source.learned)


def test_chunks_end_with_the_episode(sources):
    made = recipe(model={"chunk": 20})
    (source,) = sources(made)
    reader = SampleReader([source], made)
    draws = Sampler([len(source.learned)], [Phase(first=0, weights=(1.0,))], 0).batch(len(source.learned))
    samples = reader.learned(draws)
    assert (samples.valid.sum(1) == reader.count(draws)).all() and not samples.valid.all()
    for sample, valid in zip(samples.actions, samples.valid, strict=True):
        real = sample[valid]
        assert (sample[~valid][:, :3] == 0).all() and (sample[~valid][:, 3] == real[-1, 3]).all()
    held = SampleReader([source], changed(made, data=DataRecipe(tail="hold")))
    assert held.learned(draws).valid.all() and (held.count(draws) == 20).all()


def test_the_sampler_counts(sources):
    weights = Phase(first=0, weights=(0.75, 0.25)), Phase(first=800, weights=(0.0, 1.0))
    sampler = Sampler([7, 5], weights, 3)
    whole = sampler.batch(1000)
    assert [draw.number for draw in whole] == list(range(1000))
    assert 0.7 < np.mean([draw.source == 0 for draw in whole[:800]]) < 0.8
    assert {draw.source for draw in whole[800:]} == {1}
    first = [draw.moment for draw in whole if draw.source == 0]
    assert all(sorted(first[k : k + 7]) == list(range(7)) for k in range(0, len(first) - 6, 7))
    again = Sampler([7, 5], weights, 3)
    again.batch(333)
    other = Sampler([7, 5], weights, 3)
    other.load_state_dict(again.state_dict())
    assert other.batch(667) == whole[333:]
    assert epochs(other.state_dict())[0] == len(first) / 7
    with pytest.raises(OptionError, match="resume it with the same data"):
        Sampler([7, 6], weights, 3).load_state_dict(again.state_dict())


def test_subsets_are_nested_and_held_out_episodes_are_apart():
    data = DataRecipe(held_out=0.2)
    held, learned = chosen(range(100, 120), data, None, "x")
    assert len(held) == 4 and not set(held) & set(learned) and len(learned) == 16
    few = chosen(range(100, 120), data, 5, "x")
    assert few[0] == held and few[1] == learned[:5]
    with pytest.raises(OptionError, match="at most 16 are learned from, 17"):
        chosen(range(100, 120), data, 17, "x")


def test_mixtures_and_phases(sources):
    made = recipe()
    (source,) = sources(made)
    data = DataRecipe(
        phases=(PhaseRecipe(share=0.75, weights=(1, 1)), PhaseRecipe(share=0.25, weights=(0, 2)))
    )
    assert phases_of([source, source], data, 100) == [
        Phase(first=0, weights=(0.5, 0.5)),
        Phase(first=75, weights=(0.0, 1.0)),
    ]
    with pytest.raises(OptionError, match="a weight for each of the 1 sources"):
        phases_of([source], data, 100)
    with pytest.raises(OptionError, match="a weight for each"):
        DataRecipe(sources=(SourceRecipe(),), phases=(PhaseRecipe(share=1, weights=(1, 1)),))


def test_sources_that_mean_different_things_are_refused(sources):
    made = recipe()
    (source,) = sources(made)
    other = {**vars(source), "name": "other"}
    for name, value in (("control_hz", 10), ("action_mode", "absolute")):
        with pytest.raises(ConventionError, match=f"other has {name} "):
            check_alike([source, type(source)(**{**other, name: value})], made.model)
    foreign = {**source.provenance, "held_out": {"sets": []}}
    with pytest.raises(ConventionError, match="holds out"):
        check_alike([source, type(source)(**{**other, "provenance": foreign})], made.model)


def test_statistics_are_of_what_is_learned_from(sources):
    made = recipe()
    (source,) = sources(made)
    found = statistics_of([source], made.model)
    every = np.concatenate(
        [source.frames[p].episodes[e].actions for p, e in np.unique(source.learned[:, :2], axis=0)]
    )
    assert found.trajectories == 3 and found.transitions == len(every)
    np.testing.assert_allclose(found.action.q99, np.quantile(every, 0.99, axis=0))
    assert found.action.mask.tolist() == [True, True, True, False]


def test_augmentation_is_drawn_from_the_seed_and_never_flips():
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:10, :15] = 255  # the top left corner is bright, all others are dark
    request = Request(pictures={"head": picture, "wrist": picture}, instruction="x", state=np.zeros(4))
    how = AugmentationRecipe(crop=0.8, rotate=8, brightness=0.2, contrast=0.2, saturation=0.2, hue=0.05)
    seen = [augmented(request, how, seed=(0, k)) for k in range(30)]
    again = augmented(request, how, seed=(0, 7))
    assert (again.pictures["head"] == seen[7].pictures["head"]).all()
    assert any((one.pictures["head"] != seen[0].pictures["head"]).any() for one in seen)
    for one in seen:
        head = one.pictures["head"].astype(int).sum(-1)
        corners = [head[:6, :8], head[:6, -8:], head[-6:, :8], head[-6:, -8:]]
        assert int(np.argmax([corner.mean() for corner in corners])) == 0
        wrist = one.pictures["wrist"].astype(int).sum(-1)
        assert wrist[9, 14] > 500 and wrist[10, 15] < 50  # only its colours change
    assert augmented(request, AugmentationRecipe(), seed=(0, 1)) is request


def test_a_demonstration_is_learned_in_several_draws(demonstrations, tmp_path):
    """Other textures and other moments, the same actions; what is held out stays out in all of them."""
    knobs = {"table_texture": "seen"}
    data = DataRecipe(
        sources=(SourceRecipe(backends=("mujoco",), perturbations=knobs),),
        moments=3, visual_draws=2, visible=True, supersample=1, held_out=1,
    )  # fmt: skip
    (source,) = open_sources(recipe(data=data), [demonstrations], tmp_path)
    (frames,) = source.frames
    numbers = [(episode.number, episode.visual_draw, len(episode)) for episode in frames.episodes]
    seeds = Dataset.open(demonstrations).seeds()
    assert numbers == [(seed, draw, 3) for seed in seeds for draw in range(2)]
    one, other = frames.episodes[:2]
    assert (one.actions == other.actions).all() and (one.rows != other.rows).any()
    held = {frames.episodes[k].number for _, k, _ in source.held_out}
    learned = {frames.episodes[k].number for _, k, _ in source.learned}
    assert len(held) == 1 and not held & learned and len(source.held_out) == 6
    assert abs(frames.pictures(0, 0)[0].astype(int) - frames.pictures(1, 0)[0]).mean() > 2
    assert source.provenance["visual_draws"] == 2
    visible = one.labels["visible"]
    assert visible.shape == (3, 1, 1 + STONES) and set(visible.ravel()) == {0, 1}


def test_depth_is_stored_as_the_environment_shows_it(demonstrations, tmp_path):
    data = DataRecipe(sources=(SourceRecipe(backends=("mujoco",)),), moments=2, depth=True, held_out=1)
    made = recipe(data=data)
    (source,) = open_sources(made, [demonstrations], tmp_path)
    reader = SampleReader([source], made)
    dataset = Dataset.open(demonstrations)
    samples = reader.measured([(source, place) for place in source.held_out], 0)
    renderer = Renderer(dataset.settings, backend="mujoco", cameras=("head",), image_size=(SIDE, SIDE),
                        modalities=("rgb", "depth", "intrinsics"))  # fmt: skip
    for request, (_, episode, k) in zip(samples.requests, source.held_out, strict=True):
        there = source.frames[0].episodes[episode]
        (seen,) = renderer.moments(dataset.load(there.number), [int(there.rows[k])])
        asked = Request.from_observation(seen)
        assert (request.pictures["head"] == asked.pictures["head"]).all()
        assert (request.depth["head"] == asked.depth["head"]).all() and request.depth["head"].min() > 0.3
        np.testing.assert_allclose(request.intrinsics["head"], asked.intrinsics["head"], atol=1e-4)
    renderer.close()


def test_depth_is_refused_where_it_cannot_be(demonstrations, store):
    with pytest.raises(OptionError, match="leave out crop and rotate"):
        recipe(data=DataRecipe(depth=True), augmentation=AugmentationRecipe(crop=0.9))
    with pytest.raises(OptionError, match=r"looks at depth: say data\.depth: true"):
        made = recipe("spatialvla", model={"options": {"depth": "true"}})
        sources = open_sources(made, [demonstrations], store)
        make_model(made, statistics_of(sources, made.model), texts=["a"], control_hz=20, trained_on=[])


@pytest.mark.parametrize("spoil", ["empty", "not finite", "another size"])
def test_damaged_depth_is_named(spoil, demonstrations, tmp_path):
    data = DataRecipe(sources=(SourceRecipe(backends=("mujoco",)),), moments=1, depth=True, held_out=1)
    (source,) = open_sources(recipe(data=data), [demonstrations], tmp_path)
    (file, *_) = sorted(source.frames[0].folder.glob("*.depth.npy"))
    depth = np.load(file)
    if spoil == "empty":
        file.write_bytes(b"")
    else:
        np.save(file, depth[..., :8] if spoil == "another size" else np.full_like(depth, np.nan))
    with pytest.raises(FileError, match=r"depth\.npy .*remove episode_\d+\.npz to draw it again"):
        source.frames[0].depth(0, 0)
