"""What a study found: a table for the terminal, and a page with charts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bomb.disk.files import write_bytes
from bomb.pages.drawing import Chart, figure, series_style, svg
from bomb.pages.page import Page
from bomb.statistics import formats
from core.errors import BombError

KEYS = ("arm", "drawn", "episodes", "equal", "condition", "chunks", "backend")


def varying(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """What differs between the cells, in a fixed order."""
    return [key for key in KEYS if len({cell.get(key) for cell in cells}) > 1]


def words_of(result: Mapping[str, Any]) -> str:
    """The result as a table."""
    head, rows = _table(result["cells"])
    widths = [max(len(row[k]) for row in [head, *rows]) + 2 for k in range(len(head))]
    return "\n".join(
        "".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    )


def _table(cells: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    keys = varying(cells)
    head = [*keys, "success", "95% interval", "n", "trainings", "MSE", "MSE / variance"]
    rows = []
    for cell in cells:
        success, errors = cell["success"], cell["held_out"]
        rows.append(
            [
                *(str(cell.get(key, "")) for key in keys),
                formats.share(success["value"], 1),
                formats.share_interval(success["interval"]),
                str(success["n"]),
                str(cell["trainings"]),
                *(formats.significant(errors[name]["value"]) for name in ("mse", "relative")),
            ]
        )
    return head, rows


def write_study_page(out: Path, result: Mapping[str, Any]) -> bool:
    """Writes ``OUT/index.html``.

    Returns:
        Whether it could be drawn: without matplotlib there is no page.
    """
    study, cells = result["study"], result["cells"]
    page = Page(f"Study: {study['name']}")
    page.paragraph(
        f"Every arm was trained {len(study['seeds'])} times; {study['scenes']} scenes of the split "
        f"{study['split']} in each condition and engine. Intervals of success take trainings as clusters; "
        "few trainings bound them badly."
    )
    try:
        with page.columns():
            for chart in _charts(cells):
                page.picture(chart.data, chart.caption, alt=chart.alt, kind=chart.kind)
    except BombError as error:
        if "report" in str(error):  # the extra that brings matplotlib
            return False
        raise
    page.heading("Every number")
    head, rows = _table(cells)
    page.table(tuple(head), [tuple(row) for row in rows])
    page.heading("The study")
    page.table(("entry", "value"), [(name, str(value)) for name, value in study.items()], numbers=False)
    write_bytes(Path(out) / "index.html", page.html().encode())
    return True


def _charts(cells: Sequence[Mapping[str, Any]]) -> list[Chart]:
    numbers = [
        ("Success", [cell["success"] for cell in cells], "Share of episodes, with 95% intervals."),
        (
            "Held-out error over variance",
            [cell["held_out"]["relative"] for cell in cells],
            "Of the chosen checkpoint; 1 is as bad as always answering the mean.",
        ),
    ]
    make = _curves if len({cell.get("episodes") for cell in cells}) > 1 else _points
    return [make(title, cells, values, caption) for title, values, caption in numbers]


def _curves(
    title: str, cells: Sequence[Mapping[str, Any]], values: Sequence[Mapping[str, Any]], caption: str
) -> Chart:
    """Against the number of demonstrations, one curve for each other difference."""
    keys = [key for key in varying(cells) if key != "episodes"]
    series: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for cell, value in zip(cells, values, strict=True):
        if value["value"] is not None:
            name = ", ".join(str(cell.get(key, "")) for key in keys) or title
            series.setdefault(name, []).append((cell["episodes"], value))
    with figure() as (drawn, axes):
        told = []
        for k, (name, points) in enumerate(sorted(series.items())):
            points.sort(key=lambda point: point[0])
            xs, ys = [x for x, _ in points], [value["value"] for _, value in points]
            axes.errorbar(
                xs, ys, yerr=_bars([v for _, v in points]), label=name, capsize=3, **series_style(k)
            )
            told.append(f"{name}: " + ", ".join(f"{x}: {y:.3g}" for x, y in zip(xs, ys, strict=True)))
        axes.set_xscale("log", base=2)
        axes.set_xticks(sorted({cell["episodes"] for cell in cells}))
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.set_xlabel("demonstrations")
        axes.set_title(title)
        if len(series) > 1:
            axes.legend()
        return svg(drawn, alt=f"{title}. {'; '.join(told)}", caption=caption)


def _points(
    title: str, cells: Sequence[Mapping[str, Any]], values: Sequence[Mapping[str, Any]], caption: str
) -> Chart:
    keys = varying(cells)
    names = [", ".join(str(cell.get(key, "")) for key in keys) or title for cell in cells]
    with figure(height=max(2.0, 0.4 * len(cells) + 1.0)) as (drawn, axes):
        told = []
        for k, (name, value) in enumerate(zip(names, values, strict=True)):
            if value["value"] is None:
                continue
            style = {**series_style(0), "linestyle": "none"}
            axes.errorbar([value["value"]], [k], xerr=_bars([value]), capsize=3, **style)
            told.append(f"{name} {value['value']:.3g}")
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_title(title)
        return svg(drawn, alt=f"{title}: {'; '.join(told)}", caption=caption)


def _bars(values: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """Lengths of the bars below and above; none where there is no interval."""
    ends = [(v["value"], *(v["value"] if end is None else end for end in v["interval"])) for v in values]
    return [[value - low for value, low, _ in ends], [high - value for value, _, high in ends]]
