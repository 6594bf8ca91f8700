"""The page of a training, ``index.html``: curves and errors, rewritten with each measurement."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bomb.disk.files import read_json, write_bytes
from bomb.pages.drawing import Chart, figure, series_style, svg
from bomb.pages.page import Page
from bomb.statistics import formats
from bomb.training.folders import RECIPE
from bomb.training.log import read_log
from core.errors import BombError

FILE = "index.html"
MOST_POINTS = 400  # of a curve
PART_ROW = ("kind", "step", "part", "of_part", "loss", "seconds")  # the other entries are shares of a loss


def write_page(out: Path) -> bool:
    """Writes the page of what was logged so far, while the training runs, too.

    Returns:
        Whether it could be drawn: without matplotlib there is no page.
    """
    try:
        html = make_page(Path(out)).html()
    except BombError as error:
        if "report" in str(error):  # the extra that brings matplotlib
            return False
        raise
    write_bytes(Path(out) / FILE, html.encode())
    return True


def make_page(out: Path) -> Page:
    """The page of a training.

    Raises:
        BombError: if matplotlib is not installed.
        FileError: if the folder holds no training.
    """
    described, rows = read_json(out / RECIPE), read_log(out)
    recipe = described["recipe"]
    learned = [row for row in rows if row["kind"] == "train"]
    measured = [row for row in rows if row["kind"] == "held_out"]
    page = Page(f"Training: {recipe['name']}")
    parts = list(dict.fromkeys(row["part"] for row in learned if "part" in row))
    reached = rows[-1]["step"] if rows else 0
    if "policy" in recipe:  # trained in parts
        page.paragraph(f"{recipe['policy']}, in parts: {', '.join(parts) or 'none yet'}; step {reached}.")
    else:
        page.paragraph(
            f"{recipe['model']['family']}, {recipe['trained']['kind']}, batch {recipe['batch']}, "
            f"step {reached} of {recipe['steps']}. Select: {recipe['select']}."
        )
    if measured:
        last = measured[-1]
        page.cards(
            [
                ("MSE", _number(last["mse"]), f"held out, step {last['step']}, {last['n']} moments"),
                ("MSE / variance", _number(last["relative"]), "1 is as bad as the mean"),
                *((f"{n} MSE", _number(e["mse"]), f"relative {_number(e['relative'])}")
                  for n, e in last["groups"].items()),
            ]
        )  # fmt: skip
    page.heading("Curves")
    with page.columns():
        charts = _curves_of_parts(learned, parts) if parts else _curves(learned, measured)
        for chart in charts + _held_out_curves(measured):
            page.picture(chart.data, chart.caption, alt=chart.alt, kind=chart.kind)
    if measured:
        _tables(page, measured)
    page.heading("Recipe")
    page.table(("entry", "value"), [(name, str(value)) for name, value in recipe.items()], numbers=False)
    return page


def _curves(learned: list[dict[str, Any]], measured: list[dict[str, Any]]) -> list[Chart]:
    charts = []
    if learned:
        train = {"training": [(row["step"], row["loss"]) for row in learned]}
        held = {"held out": [(row["step"], row["loss"]) for row in measured]}
        charts.append(_curve("Loss", {**train, **held}, "The family's own loss."))
        rate = {"rate": [(row["step"], row["rate"]) for row in learned]}
        charts.append(_curve("Learning rate", rate, "Of parts without a factor of their own.", log=False))
        for name in learned[-1]["metrics"]:
            shown = {
                "training": [(row["step"], row["metrics"].get(name)) for row in learned],
                "held out": [(row["step"], row["metrics"].get(name)) for row in measured],
            }
            charts.append(_curve(name.replace("_", " "), shown, "As the family measures it.", log=False))
    return charts


def _curves_of_parts(learned: list[dict[str, Any]], parts: Sequence[str]) -> list[Chart]:
    """The loss of each part against the step of all parts, and what the last part's is made of."""
    losses = {part: [(row["step"], row["loss"]) for row in learned if row["part"] == part] for part in parts}
    charts = [_curve("Loss", losses, "Each part has a loss of its own.")]
    last = [row for row in learned if row["part"] == parts[-1]]
    shares = [name for name in last[-1] if name not in PART_ROW]
    if shares:
        shown = {name: [(row["step"], row.get(name)) for row in last] for name in shares}
        charts.append(_curve(f"Loss of {parts[-1]}", shown, "What it is made of, before weights."))
    return charts


def _held_out_curves(measured: list[dict[str, Any]]) -> list[Chart]:
    charts = []
    if measured:
        groups = {
            name: [(row["step"], row["groups"][name]["relative"]) for row in measured]
            for name in measured[-1]["groups"]
        }
        total = [(row["step"], row["relative"]) for row in measured]
        caption = "Squared error on held-out episodes over the variance of the answers."
        charts.append(_curve("Relative error by group", {"total": total, **groups}, caption))
        stages = {
            name: [(row["step"], row["stages"][name]["mse"]) for row in measured]
            for name in measured[-1]["stages"]
        }
        if any(value is not None for points in stages.values() for _, value in points):
            charts.append(_curve("MSE by stage", stages, "Of the stage that a moment is in."))
        if "errors" in measured[-1]:
            errors = {
                name: [(row["step"], row["errors"][name]) for row in measured]
                for name in measured[-1]["errors"]
            }
            charts.append(_curve("Errors in mm", errors, "Median on held-out episodes."))
        offsets = measured[-1]["offsets"]
        if len(offsets) > 1:
            chart = {"held out": list(enumerate(offsets))}
            charts.append(
                _curve("MSE by offset", chart, "By how many actions after the present one.", x="offset")
            )
    return charts


def _curve(title: str, series: dict[str, Any], caption: str, *, log: bool = True, x: str = "step") -> Chart:
    with figure() as (drawn, axes):
        words = []
        for k, (name, points) in enumerate(series.items()):
            points = [(a, b) for a, b in points if b is not None]
            if not points:
                continue
            if len(points) > MOST_POINTS:
                points = [points[i] for i in np.linspace(0, len(points) - 1, MOST_POINTS).astype(int)]
            xs, ys = zip(*points, strict=True)
            style = series_style(k)
            if len(points) > 40:
                style.pop("marker")
            axes.plot(xs, ys, label=name, **style)
            words.append(f"{name} {_number(ys[0])} to {_number(ys[-1])}")
        values = [b for points in series.values() for _, b in points if b is not None]
        if log and values and min(values) > 0:
            axes.set_yscale("log")
        axes.set_title(title)
        axes.set_xlabel(x)
        if len(words) > 1:
            axes.legend()
        return svg(drawn, alt=f"{title}: {'; '.join(words)}", caption=caption)


def _tables(page: Page, measured: list[dict[str, Any]]) -> None:
    last = measured[-1]
    groups = list(last["groups"])
    if any(entry["n"] for entry in last["stages"].values()):
        page.heading("Errors of the last measurement")
        rows = [
            (name, str(entry["n"]), _number(entry["mse"]), _number(entry["relative"]),
             *(_number(entry["groups"][group]) for group in groups))
            for name, entry in last["stages"].items()
        ]  # fmt: skip
        page.table(("stage", "moments", "MSE", "MSE / variance", *(f"{g} MSE" for g in groups)), rows)
    page.heading("Every measurement")
    rows = [
        (str(row["step"]), _number(row["loss"]), _number(row["mse"]), _number(row["l1"]),
         *(_number(row["groups"][group]["mse"]) for group in groups))
        for row in measured
    ]  # fmt: skip
    page.table(("step", "loss", "MSE", "L1", *(f"{g} MSE" for g in groups)), rows)


_number = partial(formats.significant, missing=formats.NOTHING)
