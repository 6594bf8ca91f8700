"""A checkpoint: a folder with the public files of a family, ``dataset_statistics.json`` and ``bomb.json``.

::

    DIR/config.json, model*.safetensors, tokenizer.json, ...   the public layout of the family
    DIR/dataset_statistics.json                                 as OpenVLA's tools write it
    DIR/bomb.json                                               see ``bomb.models.settings``
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bomb.disk.files import FileError
from bomb.models.folders import loading, written
from bomb.models.registry import FAMILIES
from bomb.models.settings import VLASettings
from bomb.models.vla import VLA
from core.errors import BombError, OptionError, check_choice

DTYPES = ("float32", "bfloat16", "float16", "float64")


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """A model with the folder that it came from."""

    vla: VLA
    folder: Path | None = None

    @property
    def settings(self) -> VLASettings:
        """What ``bomb.json`` says."""
        return self.vla.settings

    def save(self, folder: Path | str, *, beside: Mapping[str, bytes] | None = None) -> None:
        """Writes the folder as a whole: it is there completely or, as before, not at all.

        Args:
            folder: to be made, or replaced if it holds a checkpoint.
            beside: further files by name, which ``load`` does not read.

        Raises:
            FileError: if something else than a checkpoint is there.
        """
        with written(folder) as fresh:
            self.vla.save(fresh)
            self.vla.settings.write(fresh)
            for name, content in (beside or {}).items():
                (fresh / name).write_bytes(content)

    @classmethod
    def load(cls, folder: Path | str, *, device: str = "auto", dtype: str | None = None) -> "Checkpoint":
        """Reads a folder; nothing is downloaded, and no code that it may hold is run.

        Args:
            folder: of the checkpoint.
            device: torch's name; ``auto`` takes a GPU where there is one.
            dtype: torch's name of what to keep the weights in, such as ``bfloat16``; None: as stored.

        Raises:
            FileError: naming the file, key, name or number that is missing, not known, damaged or does not
                fit.
            UnknownNameError, OptionError: for a dtype or device that there is not.
        """
        folder = Path(folder)
        device, kept = _place(device), None if dtype is None else _kept(dtype)
        settings = VLASettings.read(folder)
        try:
            with loading(folder):
                kind = FAMILIES.load(settings.family)
                vla = kind.load(folder, settings, dtype=kept)
        except BombError as error:
            raise error if isinstance(error, FileError) else FileError(f"{folder}: {error}") from error
        return cls(vla=vla.to(device).eval(), folder=folder)


def _place(device: str) -> str:
    """The device that is meant, which torch has."""
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # what torch raises where it is built without CUDA
        raise OptionError(
            f"device must be auto, cpu, or one that torch has here, such as cuda:0; got {device!r}"
        ) from error
    return device


def _kept(dtype: str) -> Any:
    """torch's type of that name."""
    import torch

    return getattr(torch, check_choice("dtype", dtype, DTYPES))
