"""What is asked of an export, as one frozen value."""

from dataclasses import dataclass, field
from typing import Any

from bomb.demonstrations.moments import Moments
from core.control.actions import ACTION_MODES
from core.errors import (
    Number,
    OptionError,
    check_choice,
    check_flag,
    check_integer,
    check_names,
    take_plain_numbers,
)
from core.settings import EnvironmentSettings
from core.world.stage import CAMERAS

CODECS = {"h264": "libx264", "av1": "libsvtav1"}
PICTURES = ("video", "png", "jpeg")
COLUMNS = (
    *("target_pixel", "occupancy", "stone_pixels", "visible", "intrinsics", "extrinsics", "depth", "spans"),
    *("stone", "stage", "step", "target_position", "stone_positions", "board_corners", "commanded_target"),
)


@dataclass(frozen=True, kw_only=True)
class ExportSettings:
    """Plain values; two exports with equal settings of one dataset hold the same.

    Attributes:
        format: name out of ``bomb.exports.FORMATS``.
        backend: registered name of the engine that draws.
        cameras: out of ``core.world.stage.CAMERAS``, at least one.
        image_size: (height, width) in pixels.
        perturbations: levels of knobs that change what is seen and said, beside those of the dataset.
        supersample: see ``core.make_task``.
        columns: what is written per frame beside state, action and pictures; out of ``COLUMNS``.
        actions: ``delta`` (xyz in [-1, 1], 1 is 0.4 m/s / control_hz) or ``absolute`` (the commanded target,
            m, in R), whatever the dataset was collected with.
        pictures: ``video``, ``png`` (lossless) or ``jpeg``; which of them a format takes, the format says.
        codec: of videos, out of ``CODECS``.
        drop_noops: whether frames in which nothing is commanded are left out, see
            ``bomb.exports.actions.is_noop``.
        every, moments: which moments are frames, see ``bomb.demonstrations.moments.Moments``. Actions are
            those of the moments alone, so what is left out is missing between them.
        visual_draws: how often each demonstration is drawn, each time as an episode of its own with other
            draws of the knobs that change only what is seen and said.
        name: of the dataset, in formats that want one.
        shard_frames: a shard is committed once it has this many frames.
    """

    format: str
    backend: str
    cameras: tuple[str, ...] = ("head",)
    image_size: tuple[int, int] = (256, 256)
    perturbations: dict[str, Any] = field(default_factory=dict)
    supersample: int | None = None
    columns: tuple[str, ...] = ()
    actions: str = "delta"
    pictures: str = "png"
    codec: str = "h264"
    drop_noops: bool = False
    every: int = 1
    moments: int | None = None
    visual_draws: int = 1
    name: str = "bomb"
    shard_frames: int = 2000

    def __post_init__(self) -> None:
        take_plain_numbers(self)
        for name in ("cameras", "columns"):
            object.__setattr__(self, name, check_names(name, getattr(self, name)))
        for name in ("format", "backend"):
            if not isinstance(getattr(self, name), str):
                raise OptionError(f"{name} must be a name, got {getattr(self, name)!r}")
        if not isinstance(self.perturbations, dict):
            raise OptionError(f"perturbations must be a dict of levels, got {self.perturbations!r}")
        if not self.cameras:
            raise OptionError(f"an export needs a camera; valid: {', '.join(sorted(CAMERAS))}")
        for kind, values, valid in (("camera", self.cameras, CAMERAS), ("column", self.columns, COLUMNS)):
            for value in values:
                check_choice(kind, value, valid)
            if len(set(values)) != len(values):
                raise OptionError(f"a {kind} is named twice in {', '.join(values)}")
        check_choice("action convention", self.actions, ACTION_MODES)
        check_choice("way of storing pictures", self.pictures, PICTURES)
        check_choice("codec", self.codec, CODECS)
        check_flag("drop_noops", self.drop_noops)
        shard_frames = check_integer("shard_frames", self.shard_frames, least=1)
        object.__setattr__(self, "shard_frames", shard_frames)
        Number(least=1).check("visual_draws", self.visual_draws)
        _ = self.chosen
        environment = self.environment()  # checks what an environment takes, and converts it
        for name in ("cameras", "image_size", "supersample"):
            object.__setattr__(self, name, getattr(environment, name))
        if self.pictures == "video" and any(side % 2 for side in self.image_size):
            height, width = self.image_size
            raise OptionError(
                f"videos store colour at half the resolution, so both sides of a picture must be even, got "
                f"{height} x {width}; choose another size, or pictures png"
            )
        if (
            not isinstance(self.name, str)
            or not self.name.isidentifier()
            or not self.name.isascii()
            or self.name != self.name.lower()
        ):
            raise OptionError(
                f"name must be lower-case letters, digits and underscores, and begin with a letter, "
                f"got {self.name!r}"
            )

    @property
    def chosen(self) -> Moments:
        """Which moments are frames."""
        return Moments(every=self.every, count=self.moments)

    def environment(self) -> EnvironmentSettings:
        """What draws, but for what the dataset says of its episodes."""
        return EnvironmentSettings(
            backend=self.backend,
            cameras=self.cameras,
            image_size=self.image_size,
            supersample=self.supersample,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}
