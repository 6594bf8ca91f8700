"""``bomb.json``: what a checkpoint was trained to see, and what its actions mean."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from bomb.disk.files import FileError, read_json, write_json
from bomb.integrations.actions import ActionConvention
from core.control.actions import ActionSpec
from core.errors import POSITIVE, BombError, OptionError
from core.rendering.observation import ObservationSpec

FORMAT, VERSION = "bomb-pi0", 1
FILE = "bomb.json"


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
        file = Path(folder) / FILE
        if not file.is_file():
            raise FileError(f"{folder} is no checkpoint for BOMB: it has no {FILE}")
        values = read_json(file)
        if (values.pop("format", None), values.pop("version", None)) != (FORMAT, VERSION):
            raise FileError(f"{file} is not of format {FORMAT!r}, version {VERSION}")
        known = {entry.name for entry in fields(cls)}
        if unknown := sorted(values.keys() - known):
            raise FileError(
                f"{file} has unknown entries: {', '.join(unknown)}; valid: {', '.join(sorted(known))}"
            )
        try:
            values["convention"] = ActionConvention(**values.get("convention", {}))
            values["cameras"] = tuple(values["cameras"])
            values["image_size"] = tuple(values["image_size"])
            return cls(**values)
        except (BombError, TypeError, KeyError) as error:
            raise FileError(f"{file} cannot be used: {error}") from error
