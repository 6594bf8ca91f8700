"""A dataset's pictures as files: a video per episode and camera, or every picture by itself."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bomb.demonstrations.dataset import Dataset
from bomb.demonstrations.demonstration import Demonstration
from bomb.demonstrations.moments import Moments
from bomb.demonstrations.pictures import Renderer, visible_levels
from bomb.disk.differences import first_difference
from bomb.disk.files import FileError, read_json, write_json, writing
from bomb.machine.versions import versions
from bomb.pictures.images import write_mp4, write_png
from bomb.processes.workers import work_off
from core.errors import (
    BombError,
    Number,
    OptionError,
    check_choice,
    check_integer,
    check_names,
    take_plain_numbers,
)
from core.perturbations.base import Level
from core.perturbations.heldout import HELD_OUT
from core.settings import EnvironmentSettings

FORMAT, VERSION, SETTINGS_FILE = "bomb-pictures", 1, "render.json"
# How the pictures are kept; picture t is what was seen before action t.
KINDS: dict[str, str] = {
    "mp4": "OUT/CAMERA/episode_SEED.mp4, H.264",
    "png": "OUT/CAMERA/episode_SEED/T.png, lossless",
}  # of visual draw 0; of the others episode_SEED_drawD


@dataclass(frozen=True, kw_only=True)
class RenderSettings:
    """What pictures are drawn with.

    Attributes:
        backend, cameras, image_size, supersample: see ``Renderer``.
        perturbations: levels of knobs beside those of the dataset.
        held_out: what the pictures must not show, out of ``core.perturbations.heldout.HELD_OUT``.
        kind: out of ``KINDS``.
        every, moments: which moments are drawn, see ``bomb.demonstrations.moments.Moments``.
        visual_draws: how often each demonstration is drawn, each time with other draws of the knobs that
            change only what is seen and said.
    """

    backend: str
    cameras: tuple[str, ...] = ("head",)
    image_size: tuple[int, int] = (256, 256)
    perturbations: dict[str, Level] = field(default_factory=dict)
    held_out: tuple[str, ...] = tuple(HELD_OUT)
    supersample: int | None = None
    kind: str = "mp4"
    every: int = 1
    moments: int | None = None
    visual_draws: int = 1

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        if not isinstance(self.backend, str):
            raise OptionError(f"backend must be a name, got {self.backend!r}")
        if not isinstance(self.perturbations, dict):
            raise OptionError(f"perturbations must be a dict of levels, got {self.perturbations!r}")
        object.__setattr__(self, "held_out", check_names("held_out", self.held_out))
        seen = EnvironmentSettings(
            backend=self.backend,
            cameras=self.cameras,
            image_size=self.image_size,
            supersample=self.supersample,
        )
        for name in ("cameras", "image_size", "supersample"):
            object.__setattr__(self, name, getattr(seen, name))
        Number(least=1).check("visual_draws", self.visual_draws)
        _ = self.chosen
        check_choice("kind of pictures", self.kind, KINDS)
        visible_levels(self.perturbations, self.held_out)

    @property
    def chosen(self) -> Moments:
        """Which moments are drawn."""
        return Moments(every=self.every, count=self.moments)

    def renderer(self, dataset: Dataset) -> Renderer:
        """What draws."""
        options = asdict(self)
        for name in ("kind", "every", "moments", "visual_draws"):
            options.pop(name)
        return Renderer(dataset.settings, **options)


def render_dataset(
    dataset: Dataset,
    settings: RenderSettings,
    out: Path,
    *,
    workers: int = 1,
    report: Callable[[int], None] | None = None,
) -> int:
    """Draws every demonstration; what is there already is left as it is.

    Args:
        dataset: an existing one.
        settings: what to draw with.
        out: the folder; one with pictures of the same dataset and settings is resumed.
        workers: processes that draw.
        report: called with each seed that is done.

    Returns:
        How many episodes have their pictures there.

    Raises:
        OptionError: if ``workers`` is no positive integer; if ``out`` has pictures of something else, naming
            what differs.
        FileError: naming an episode that cannot be read, or a file that cannot be written.
        BombError: if the dataset is empty, or a drawing process dies.
    """
    workers = check_integer("workers", workers, least=1)
    seeds = dataset.seeds()
    if not seeds:
        raise BombError(f"{dataset.path} has no demonstrations")
    _begin(out, dataset, settings)
    make = partial(Painter, dataset.path, settings, Path(out))

    def drawn(seed: int, _: object) -> None:
        if report is not None:
            report(seed)

    work_off(make, seeds, workers, done=drawn, name="the pictures of seed {}".format)
    return len(seeds)


class Painter:
    """Draws demonstrations in a worker process.

    Args:
        path: folder of the dataset.
        settings: what to draw with.
        out: where the pictures go.
    """

    def __init__(self, path: Path, settings: RenderSettings, out: Path):
        self._dataset, self._settings, self._out = Dataset.open(path), settings, out
        self._renderer: Renderer | None = None

    def __call__(self, seed: int) -> None:
        """Draws the pictures of one seed that are missing.

        Raises:
            FileError: if the episode cannot be read, or a file cannot be written.
        """
        demonstration = self._dataset.load(seed)
        for visual_draw, camera in product(range(self._settings.visual_draws), self._settings.cameras):
            place = self._out / camera / episode_name(seed, visual_draw)
            with writing(place):
                self._draw(demonstration, camera, visual_draw, place)

    def _draw(self, demonstration: Demonstration, camera: str, visual_draw: int, place: Path) -> None:
        rows = self._settings.chosen.rows(
            np.arange(demonstration.length),
            split=demonstration.about["split"],
            seed=demonstration.seed,
            visual_draw=visual_draw,
        )

        def views() -> Iterator[npt.NDArray[np.uint8]]:
            if self._renderer is None:
                self._renderer = self._settings.renderer(self._dataset)
            return self._renderer.views(demonstration, camera, rows, visual_draw=visual_draw)

        if self._settings.kind == "mp4":
            file = place.with_suffix(".mp4")
            if not file.exists():
                write_mp4(file, views(), self._dataset.settings["control_hz"])
            return
        files = [place / f"{t:06d}.png" for t in rows]
        if not files[-1].exists():  # they are written in their order
            for file, picture in zip(files, views(), strict=True):
                write_png(file, picture)


def episode_name(seed: int, visual_draw: int = 0) -> str:
    """What the files of an episode in one of its visual draws are called."""
    return f"episode_{seed:06d}" + (f"_draw{visual_draw}" if visual_draw else "")


def _begin(out: Path, dataset: Dataset, settings: RenderSettings) -> None:
    """The folder's settings, written or found to be the same."""
    out = Path(out)
    collected = {name: value for name, value in dataset.settings.items() if name != "episodes"}
    wanted = {
        "format": FORMAT, "version": VERSION, **asdict(settings), "dataset": collected, "versions": versions()
    }  # fmt: skip
    if (out / SETTINGS_FILE).exists():
        difference = first_difference(read_json(out / SETTINGS_FILE), wanted)
        if difference is not None:
            raise OptionError(
                f"{out} has pictures with {difference.name} = {difference.before!r}, not {difference.now!r}; "
                "choose another folder, or the same settings to resume it"
            )
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileError(f"{out} exists and holds no pictures of `bomb render`; choose another folder")
    else:
        settings.renderer(dataset).close()  # what cannot be drawn must not leave a folder behind
    write_json(out / SETTINGS_FILE, wanted)
