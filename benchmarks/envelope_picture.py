"""Draws both grasp envelopes and where they differ; a part of ``grasp_envelope``, no benchmark of its own."""

from collections.abc import Sequence

import numpy as np

from bomb.parity.envelope import HIGH, LOW, Grasp

PANEL, MARGIN, LINE = 250, 34, 17  # pixels
BANDS = ((-0.004, -0.001), (-0.001, 0.0025), (0.0025, 0.006))  # m, slices of the offset in z
PAPER, INK, GRID = (252, 252, 250), (40, 40, 40), (215, 215, 212)
HELD, LOST = (32, 102, 168), (222, 218, 210)
ONLY = ((214, 96, 30), (60, 140, 70))  # held by the first alone, by the second alone


def draw(results: Sequence[Grasp], backends: tuple[str, str], lines: Sequence[str]) -> np.ndarray:
    """uint8[H, W, 3]: a column for each simulator and one for their difference, a row for each slice in z.

    Args:
        results: the grasps.
        backends: names of the two simulators.
        lines: what to write below.
    """
    from PIL import Image, ImageDraw, ImageFont

    cell = PANEL + MARGIN
    below = LINE * (2 + (len(lines) + 1) // 2)
    picture = Image.new("RGB", (3 * cell + MARGIN, len(BANDS) * cell + MARGIN + below), PAPER)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=13)
    titles = (*(f"held by {backend}" for backend in backends), "where they differ")
    for row, band in enumerate(BANDS):
        inside = [grasp for grasp in results if band[0] <= grasp.offset[2] < band[1]]
        for column, title in enumerate(titles):
            left, top = MARGIN + column * cell, MARGIN + row * cell
            _axes(pen, font, left, top)
            words = f"{title}, z {band[0] * 1e3:+g} to {band[1] * 1e3:+g} mm"
            pen.text((left, top - 4), words, fill=INK, font=font, anchor="lb")
            for grasp in sorted(inside, key=lambda grasp: grasp.held[0] != grasp.held[1]):
                color = _color(grasp.held, column)
                x, y = _pixel(grasp.offset, left, top)
                radius = 3.2 if color in ONLY else 2.4
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
    base = len(BANDS) * cell + MARGIN
    legend = (
        f"x across, y up: offset of the grasp, mm. Orange: only {backends[0]}; green: only {backends[1]}."
    )
    pen.text((MARGIN, base), legend, fill=INK, font=font)
    for k, line in enumerate(lines):
        x = MARGIN + (k % 2) * (3 * cell // 2)
        pen.text((x, base + LINE * (1.4 + k // 2)), line, fill=INK, font=font)
    return np.asarray(picture)


def _color(held: tuple[bool, bool], column: int) -> tuple[int, int, int]:
    if column < 2:
        return HELD if held[column] else LOST
    if held[0] == held[1]:
        return GRID if held[0] else PAPER
    return ONLY[0] if held[0] else ONLY[1]


def _pixel(offset: Sequence[float], left: int, top: int) -> tuple[float, float]:
    x = left + (offset[0] - LOW[0]) / (HIGH[0] - LOW[0]) * PANEL
    return x, top + PANEL - (offset[1] - LOW[1]) / (HIGH[1] - LOW[1]) * PANEL


def _axes(pen, font, left: int, top: int) -> None:
    pen.rectangle((left, top, left + PANEL, top + PANEL), outline=GRID)
    for mm in (-10, 0, 10):
        x, y = _pixel((mm / 1e3, mm / 1e3), left, top)
        pen.line((x, top, x, top + PANEL), fill=GRID)
        pen.line((left, y, left + PANEL, y), fill=GRID)
        pen.text((x, top + PANEL + 2), f"{mm}", fill=INK, font=font, anchor="mt")
        pen.text((left - 3, y), f"{mm}", fill=INK, font=font, anchor="rm")
