"""The page of a dataset."""

import io
from collections import Counter

import numpy as np

from bomb.inspection.anomalies import KINDS
from bomb.inspection.charts import action_chart, coverage_chart, lengths_chart
from bomb.inspection.findings import Findings
from bomb.inspection.sources import Source
from bomb.pages.drawing import Chart
from bomb.pages.page import Page
from bomb.pictures.images import captioned, grid
from bomb.statistics.formats import fixed
from core.errors import RenderError
from core.world.scene import BoardSpec

SAMPLES, MOMENTS, SIDE = 4, 5, 160
MOST_ROWS = 100


def inspection_page(source: Source, found: Findings) -> str:
    """HTML with everything in it.

    Args:
        source: the dataset.
        found: what ``inspect_source`` found in it.

    Raises:
        BombError: if the extra that draws charts is missing.
    """
    page = Page(f"Dataset {source.path.name}", contents=True)
    _summary(page, source, found)
    _samples(page, source, found)
    if found.goals:
        page.heading("Coverage")
        show(page, coverage_chart(dict(found.goals), BoardSpec().size))
    _episodes(page, source, found)
    page.heading("Actions")
    page.paragraph(
        f"Convention: `{source.action_spec.mode}`, {source.action_spec.control_hz} Hz; "
        f"1.0 of a delta action is {source.action_spec.max_step * 1e3:g} mm."
    )
    with page.columns("22rem"):
        for k in range(len(found.action_edges)):
            show(page, action_chart(found, k, source.action_spec.mode))
    _duplicates(page, found)
    _anomalies(page, found)
    return page.html()


def show(page: Page, chart: Chart) -> None:
    """Puts a chart on the page."""
    page.picture(chart.data, chart.caption, alt=chart.alt, kind=chart.kind)


def _summary(page: Page, source: Source, found: Findings) -> None:
    seconds = found.frames / source.action_spec.control_hz
    lengths = list(found.lengths.values()) or [0]
    page.cards(
        [
            ("episodes", str(len(found.lengths)), f"{len(found.instructions)} different instructions"),
            ("frames", f"{found.frames:,}".replace(",", " "), fixed(seconds / 60, unit="minutes")),
            (
                "length",
                fixed(float(np.median(lengths)), 0),
                f"frames in the median, {min(lengths)} to {max(lengths)}",
            ),
            ("duplicates", str(len(found.duplicates)), "groups of equal episodes"),
            ("anomalies", str(len(found.anomalies)), "see the list at the end"),
        ]
    )
    page.table(["", ""], [[name, words] for name, words in source.about.items()], "what it is")


def _samples(page: Page, source: Source, found: Findings) -> None:
    page.heading("Samples")
    names = list(found.lengths)
    chosen = (
        [names[k] for k in sorted({*np.linspace(0, len(names) - 1, SAMPLES).round().astype(int)})]
        if names
        else []
    )
    rows = []
    try:
        for name in chosen:
            pictures = source.sample(name, MOMENTS, SIDE)
            if pictures:
                words = ["start", *[""] * (len(pictures) - 2), "end"]
                rows.append(
                    [captioned(p, f"{name} {w}".strip()) for p, w in zip(pictures, words, strict=False)]
                )
    except RenderError as error:
        page.paragraph(f"No pictures: {error}", "note")
        return
    if not rows:
        page.paragraph("The dataset has no pictures.")
        return
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(grid(rows)).save(buffer, "PNG", optimize=True)
    page.picture(buffer.getvalue(), f"{len(rows)} episodes, {MOMENTS} moments each, from start to end.")


def _episodes(page: Page, source: Source, found: Findings) -> None:
    page.heading("Episodes")
    if not found.lengths:
        page.paragraph("None can be read.", "note")
        return
    show(page, lengths_chart(list(found.lengths.values()), source.action_spec.control_hz))
    if far := found.path_lengths:
        page.paragraph(
            f"The tool goes {fixed(float(np.median(far)), 2, 'm')} in the median "
            f"({fixed(min(far), 2)} to {fixed(max(far), 2, 'm')})."
        )
    with page.details("The most frequent instructions"):
        rows = [[str(count), words] for words, count in found.instructions.most_common(20)]
        page.table(["times", "instruction"], rows)


def _duplicates(page: Page, found: Findings) -> None:
    page.heading("Duplicates")
    if not found.duplicates:
        page.paragraph("No two episodes hold the same states and actions.")
        return
    page.table(["equal episodes"], [[" = ".join(names)] for names in found.duplicates[:MOST_ROWS]])


def _anomalies(page: Page, found: Findings) -> None:
    page.heading("Anomalies")
    counts = Counter(anomaly.kind for anomaly in found.anomalies)
    page.table(
        ["kind", "found", "what it is"],
        [[kind, str(counts[kind]), words] for kind, words in KINDS.items()],
        "looked for",
    )
    if not found.anomalies:
        page.paragraph("None was found.")
        return
    rows = [
        [a.episode, a.kind, "" if a.frame is None else str(a.frame), a.words]
        for a in found.anomalies[:MOST_ROWS]
    ]
    page.table(["episode", "kind", "frame", "what"], rows, "found")
    if len(found.anomalies) > MOST_ROWS:
        page.paragraph(f"The first {MOST_ROWS} of {len(found.anomalies)}.")
