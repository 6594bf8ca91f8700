"""A checkpoint: a folder with the public files of a family, ``dataset_statistics.json`` and ``bomb.json``.

::

    DIR/config.json, model*.safetensors, tokenizer.json, ...   the public layout of the family
    DIR/dataset_statistics.json                                 as OpenVLA's tools write it
    DIR/bomb.json                                               see ``bomb.models.settings``
"""

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bomb.disk.files import FileError
from bomb.models.registry import FAMILIES
from bomb.models.settings import FILE, VLASettings
from bomb.models.vla import VLA
from core.errors import BombError


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
        folder = Path(folder).resolve()
        check_free(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        hidden = tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.")
        with hidden as temporary, without_bars():
            fresh, old = Path(temporary) / "new", Path(temporary) / "old"
            fresh.mkdir()
            self.vla.save(fresh)
            self.vla.settings.write(fresh)
            for name, content in (beside or {}).items():
                (fresh / name).write_bytes(content)
            if folder.exists():
                folder.rename(old)
            fresh.rename(folder)
            shutil.rmtree(old, ignore_errors=True)

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
        """
        import torch

        folder = Path(folder)
        settings = VLASettings.read(folder)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            with without_bars():
                kind = FAMILIES.load(settings.family)
                vla = kind.load(folder, settings, dtype=None if dtype is None else getattr(torch, dtype))
        except BombError as error:
            raise error if isinstance(error, FileError) else FileError(f"{folder}: {error}") from error
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise FileError(f"{folder} cannot be loaded: {type(error).__name__}: {error}") from error
        return cls(vla=vla.to(device).eval(), folder=folder)


def check_free(folder: Path) -> None:
    """Returns if a checkpoint may be written there, which replaces what there is.

    Raises:
        FileError: if something else than a checkpoint is there.
    """
    if folder.exists() and not (folder.is_dir() and ((folder / FILE).is_file() or not any(folder.iterdir()))):
        raise FileError(f"{folder} holds something else than a checkpoint; nothing is overwritten")


@contextmanager
def without_bars():
    """Keeps transformers' progress bars off."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
