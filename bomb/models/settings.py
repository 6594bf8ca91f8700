"""``bomb.json``: what BOMB has to know of a checkpoint beside its public files."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bomb.disk.files import FileError, read_json, write_json
from bomb.integrations.actions import ActionConvention
from bomb.models.codecs.normalising import Normalisation
from bomb.models.folders import FILE
from core.control.actions import ActionSpec
from core.errors import BombError, OptionError
from core.rendering.observation import ObservationSpec

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Plain = TypeVar("Plain", bound="DataclassInstance")  # whose fields are plain values
FORMAT, VERSION = "bomb-vla", 1
MOST = 10_000  # actions of a chunk, and moments of a history


@dataclass(frozen=True, kw_only=True)
class VLASettings:
    """What a checkpoint is shown, and what its numbers mean.

    Attributes:
        family: registered name of its kind of model; see ``bomb.models.registry``.
        cameras: what it looks through, in its order.
        image_size: (height, width) of the pictures it is given, in pixels, before its own resizing.
        chunk: actions that are made at once.
        dataset: the entry of ``dataset_statistics.json`` that it acts by.
        convention: what the numbers of an action mean.
        normalisation: how actions are normalised.
        control_hz: actions per second.
        history: moments that it looks at, the present one included.
        options: of the family, plain values; each family has a dataclass of them.
        trained_on: provenance of its datasets: ``{"split": ..., "task": ..., ...}`` each.
        training: how it was trained, plain values.

    Raises:
        OptionError, UnknownNameError: naming the entry and what is valid.
    """

    family: str
    cameras: tuple[str, ...]
    image_size: tuple[int, int]
    chunk: int = 1
    dataset: str = "bomb"
    convention: ActionConvention = field(default_factory=ActionConvention)
    normalisation: Normalisation = field(default_factory=Normalisation)
    control_hz: int = 20
    history: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    trained_on: list[dict[str, Any]] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ObservationSpec(cameras=self.cameras, image_size=self.image_size, modalities=("rgb",))
        ActionSpec(mode=self.convention.action_mode, control_hz=self.control_hz)
        if not self.cameras:
            raise OptionError("cameras is empty: a VLA looks at pictures")
        for name in ("chunk", "history"):
            if check_count(name, getattr(self, name)) > MOST:
                raise OptionError(f"{name} must be at most {MOST}, got {getattr(self, name)!r}")
        for name in ("family", "dataset"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise OptionError(f"{name} must be a name, got {getattr(self, name)!r}")
        if not isinstance(self.options, dict):
            raise OptionError(f"options must be a dictionary, got {self.options!r}")

    def write(self, folder: Path) -> None:
        """Writes ``bomb.json``."""
        write_json(Path(folder) / FILE, {"format": FORMAT, "version": VERSION, **asdict(self)})

    @classmethod
    def read(cls, folder: Path) -> "VLASettings":
        """Reads ``bomb.json``.

        Raises:
            FileError: naming the file and what is wrong with it.
        """
        parts = {"convention": ActionConvention, "normalisation": Normalisation}
        return read_settings(folder, cls, FORMAT, VERSION, parts)


def read_settings(
    folder: Path, kind: type[Plain], form: str, version: int, parts: Mapping[str, type]
) -> Plain:
    """A dataclass of settings from ``bomb.json``.

    Args:
        folder: of the checkpoint.
        kind: the dataclass; it has ``cameras`` and ``image_size``.
        form, version: what the file must say of itself.
        parts: dataclasses of its entries by name; one that is left out has its defaults.

    Raises:
        FileError: naming the file and what is wrong with it.
    """
    file = Path(folder) / FILE
    if not file.is_file():
        raise FileError(f"{folder} is not a checkpoint for BOMB: it has no {FILE}; see docs/models.md")
    values = read_json(file)
    if (values.pop("format", None), values.pop("version", None)) != (form, version):
        raise FileError(f"{file} is not of format {form!r}, version {version}")
    known = {entry.name for entry in fields(kind)}
    if unknown := sorted(values.keys() - known):
        raise FileError(
            f"{file} has unknown entries: {', '.join(unknown)}; valid: {', '.join(sorted(known))}"
        )
    try:
        for name, part in parts.items():
            values[name] = part(**values.get(name, {}))
        for name in ("cameras", "image_size"):
            values[name] = tuple(values[name])
        return kind(**values)
    except (BombError, TypeError, KeyError) as error:
        raise FileError(f"{file} cannot be used: {error}") from error


def check_count(name: str, value: object) -> int:
    """Returns a positive integer.

    Raises:
        OptionError: if it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise OptionError(f"{name} must be a positive integer, got {value!r}")
    return value


def read_options(kind: type[Plain], values: Mapping[str, Any], family: str) -> Plain:
    """A family's dataclass of options, from the plain values of ``bomb.json``.

    Raises:
        OptionError: naming what is unknown or wrong.
    """
    known = {entry.name for entry in fields(kind)}
    if unknown := sorted(values.keys() - known):
        raise OptionError(
            f"{family} has no options {', '.join(unknown)}; valid: {', '.join(sorted(known)) or '(none)'}"
        )
    try:
        return kind(**values)
    except TypeError as error:
        raise OptionError(f"options of {family}: {error}") from error
