"""Pictures drawn from states: those that the policy would have seen, in any engine."""

import shutil

import numpy as np
import pytest

import core
from bomb.cli import main
from bomb.collecting.recording import Recorder, record_episode
from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.pictures import Renderer
from bomb.policies.expert import Expert
from core.errors import OptionError
from tests.demonstrations.conftest import BACKENDS, cut, settings

pytestmark = pytest.mark.render

SIZE, CAMERAS = (32, 40), ("head", "wrist")
MODALITIES = ("rgb", "depth", "segmentation")
# Something of every kind that is only seen; the noise is drawn anew for every picture.
SEEN = {"camera_orbit": 3, "table_texture": "seen", "light_color": 2, "gaussian_noise": 2, "jpeg": 1}


class Looker(Recorder):
    """Keeps what a policy sees."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __call__(self, env, info):
        super().__call__(env, info)
        self.seen.append(env.observe())


def played(backend: str, seed: int, **options):
    """(demonstration, what was seen live) of the first seconds of an episode with pictures."""
    env, looker = core.make_task(backend=backend, split="ci", max_steps=5, **options), Looker()
    made = record_episode(env, Expert(), seed, looker)
    env.close()
    return made, looker.seen


def renderer(backend: str, **options) -> Renderer:
    return Renderer(
        settings().to_dict(),
        backend=backend,
        cameras=CAMERAS,
        image_size=SIZE,
        modalities=MODALITIES,
        **options,
    )


@pytest.mark.parametrize("perturbations", [None, SEEN], ids=["clean", "perturbed"])
def test_states_give_the_pictures_that_were_seen(backend, perturbations):
    """Bit for bit, noise included: both engines draw a state and nothing else."""
    options = {"cameras": CAMERAS, "image_size": SIZE, "modalities": MODALITIES}
    made, seen = played(backend, 3, perturbations=perturbations, **options)
    drawing = renderer(backend, perturbations=perturbations)
    count = 0
    # Another episode first: what was drawn before must not matter.
    other, _ = played(backend, 4, cameras=())
    next(iter(drawing.frames(other)))
    for frame, live in zip(drawing.frames(made), seen, strict=False):
        for key in ("images", "depth", "segmentation"):
            for camera in CAMERAS:
                assert np.array_equal(frame[key][camera], live[key][camera]), (key, camera, count)
        assert np.array_equal(frame["state"], live["state"])
        assert frame["instruction"] == live["instruction"]
        count += 1
    assert count == made.length == 5
    assert np.array_equal(next(iter(drawing.views(made, "wrist"))), seen[0]["images"]["wrist"])
    drawing.close()


def test_the_other_engine_draws_the_same_moment(mixed):
    """Within the bounds of docs/parity.md: colour 5/255 over the whole frame, depth 1 mm."""
    made = cut(mixed.load(mixed.seeds()[0]), [0, 25, 45, 60, 70])
    both, count = [renderer(name) for name in BACKENDS], 0
    for pair in zip(*(drawing.frames(made) for drawing in both), strict=True):
        colors = [frame["images"]["head"].astype(float) for frame in pair]
        assert abs(colors[0] - colors[1]).mean() <= 5.0
        depths = [frame["depth"]["head"] for frame in pair]
        assert np.median(abs(depths[0] - depths[1])) <= 0.001
        boards = [frame["segmentation"]["head"] == core.SegmentationId.BOARD for frame in pair]
        assert (boards[0] & boards[1]).sum() / (boards[0] | boards[1]).sum() > 0.95
        count += 1
    assert count == 4
    for drawing in both:
        drawing.close()


def test_stones_of_an_opponent_are_seen_when_they_are_there(games):
    whole = games.load(games.seeds()[0])
    joined = int(whole.first_rows[whole.first_rows > 0].min())
    made = cut(whole, [0, joined - 1, joined, whole.length])
    drawing = Renderer(
        games.settings, backend=BACKENDS[0], cameras=("head",), image_size=SIZE, modalities=("segmentation",)
    )
    words, counts = [], []
    for frame in drawing.frames(made):
        words.append(frame["instruction"])
        counts.append(int((np.unique(frame["segmentation"]["head"]) >= core.SegmentationId.STONE).sum()))
    drawing.close()
    assert counts[2] == counts[1] + 1 and counts[1] <= counts[0]
    assert len(set(words)) == 2 and words == [made.instructions[k] for k in made.instruction_index]


def test_the_words_can_be_said_otherwise(mixed):
    made = mixed.load(mixed.seeds()[0])
    drawing = renderer(BACKENDS[0], perturbations={"words": "spelled"})
    (said,) = drawing.instructions(made)
    assert said.text != made.instructions[0]
    assert next(iter(drawing.frames(made)))["instruction"] == said.text
    drawing.close()
    plain = renderer(BACKENDS[0])
    (recorded,) = plain.instructions(made)
    plain.close()
    assert recorded.text == made.instructions[0] and recorded.spans["row"].end > 0


@pytest.mark.parametrize("knob", ["board_pose", "stone_kind", "friction", "action_noise", "table_height"])
def test_what_would_change_the_episode_is_refused(knob):
    level = "coin" if knob == "stone_kind" else 2
    with pytest.raises(OptionError, match=f"{knob} changes .* the episode has been played; valid: "):
        renderer(BACKENDS[0], perturbations={knob: level})


def test_held_out_textures_are_not_drawn_for_training():
    with pytest.raises(OptionError, match="table_texture: 'unseen' is held out"):
        renderer(BACKENDS[0], perturbations={"table_texture": "unseen"})
    drawing = renderer(BACKENDS[0], perturbations={"table_texture": "unseen"}, held_out=())
    drawing.close()
    with pytest.raises(OptionError, match="asked for at two levels"):
        Renderer(
            settings(perturbations={"brightness": 1}).to_dict(),
            backend=BACKENDS[0],
            perturbations={"brightness": 2},
        )
    with pytest.raises(OptionError, match="cameras is empty"):
        Renderer(settings().to_dict(), backend=BACKENDS[0], cameras=())


@pytest.mark.parametrize("kind", ["mp4", "png"])
def test_the_command_line_draws_a_dataset(games, tmp_path, kind, capsys):
    import av
    from PIL import Image

    made, out = cut(games.load(games.seeds()[0]), [0, 5, 10, 15]), tmp_path / "pictures"
    shutil.copytree(games.path, tmp_path / "dataset")
    Dataset(tmp_path / "dataset").episode_file(made.seed).write_bytes(made.to_bytes())
    words = [
        "render",
        str(tmp_path / "dataset"),
        "--backend",
        BACKENDS[0],
        "--image-size",
        "16",
        "--out",
        str(out),
    ]
    assert main([*words, "--format", kind]) == 0
    place = out / "head" / f"episode_{made.seed:06d}"
    if kind == "mp4":
        with av.open(str(place.with_suffix(".mp4"))) as video:
            assert sum(1 for _ in video.decode(video=0)) == made.length
    else:
        files = sorted(place.iterdir())
        assert [file.name for file in files] == [f"{t:06d}.png" for t in range(made.length)]
        assert np.asarray(Image.open(files[0])).shape == (16, 16, 3)
        stamp = files[0].stat().st_mtime_ns
        assert main([*words, "--format", kind]) == 0  # nothing is drawn twice
        assert files[0].stat().st_mtime_ns == stamp
    capsys.readouterr()
    assert main([*words, "--format", kind, "--cameras", "wrist"]) == 2
    assert "cameras = ['head'], not ['wrist']" in capsys.readouterr().err
    assert main(["render", str(tmp_path), "--backend", BACKENDS[0], "--out", str(tmp_path / "x")]) == 2
    assert "dataset.json does not exist" in capsys.readouterr().err
