"""``bomb.json``: what a checkpoint was trained to see, and what its actions mean."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from bomb.disk.files import write_json
from bomb.integrations.actions import ActionConvention
from bomb.models.folders import FILE
from bomb.models.settings import read_settings
from core.control.actions import ActionSpec
from core.errors import POSITIVE, OptionError
from core.rendering.observation import ObservationSpec

FORMAT, VERSION = "bomb-pi0", 1


@dataclass(frozen=True, kw_only=True)
class Pi0Settings:
    """What BOMB needs to know of a checkpoint beside what transformers reads.

    Attributes:
        cameras: what it looks through, in its order.
        image_size: (height, width) of the pictures it is given, in pixels.
        text_tokens: room for the instruction, in tokens; longer ones are cut.
        convention: what the numbers of an action mean.
        control_hz: actions per second.
        trained_on: provenance of its datasets: ``{"split": ..., "task": ..., ...}`` each.
        training: how it was trained, plain values.
    """

    cameras: tuple[str, ...]
    image_size: tuple[int, int]
    text_tokens: int
    convention: ActionConvention = field(default_factory=ActionConvention)
    control_hz: int = 20
    trained_on: list[dict] = field(default_factory=list)
    training: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        ObservationSpec(cameras=self.cameras, image_size=self.image_size, modalities=("rgb",))
        ActionSpec(mode=self.convention.action_mode, control_hz=self.control_hz)
        if not self.cameras:
            raise OptionError("cameras is empty: pi0 looks at pictures")
        POSITIVE.check("text_tokens", self.text_tokens)

    def write(self, folder: Path) -> None:
        """Writes ``bomb.json``."""
        write_json(folder / FILE, {"format": FORMAT, "version": VERSION, **asdict(self)})

    @classmethod
    def read(cls, folder: Path) -> "Pi0Settings":
        """Reads ``bomb.json``.

        Raises:
            FileError: naming the file and what is wrong with it.
        """
        return read_settings(folder, cls, FORMAT, VERSION, {"convention": ActionConvention})
