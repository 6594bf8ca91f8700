"""Demonstrations in the formats that trainers read."""

from importlib import import_module
from pathlib import Path

from core.errors import check_choice

# Name of a format: ``module:function`` with ``function(dataset: Path, out: Path, **options)``.
FORMATS: dict[str, str] = {}


def export(dataset: Path, format: str, out: Path, **options: object) -> None:
    """Writes a dataset in another format.

    Args:
        dataset: folder of ``bomb collect``.
        format: one of ``FORMATS``.
        out: folder to write.
        options: ``backend``, ``cameras``, ``image_size``, ``perturbations``: of the pictures.

    Raises:
        UnknownNameError: if there is no such format.
    """
    module, _, function = FORMATS[check_choice("format", format, FORMATS)].partition(":")
    getattr(import_module(module), function)(Path(dataset), Path(out), **options)
