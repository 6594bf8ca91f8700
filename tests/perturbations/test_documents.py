"""The command line and the page say what there is."""

from pathlib import Path

import pytest

from bomb.cli import main
from core.perturbations import KNOBS
from core.perturbations.presets import PRESET_WORDS, PRESETS

PAGE = (Path(__file__).parents[2] / "docs" / "perturbations.md").read_text()


@pytest.mark.parametrize("name", KNOBS)
def test_a_knob_stands_on_the_page_with_its_levels(name):
    knob = KNOBS[name]
    star = " *" if knob.per_camera else ""
    if knob.sets:
        for level, words in knob.sets.items():
            assert f"| `{name}`{star} | `{level}` | {words} |" in PAGE
    else:
        line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`{star} | "))
        assert f"| {knob.unit} | {' | '.join(knob.levels)} | {knob.statistic} |" in line


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_stands_on_the_page_with_its_knobs(name):
    words = PRESET_WORDS[name]
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` | {words}"))
    assert ", ".join(f"`{knob}`" for knob in PRESETS[name]) in line


def test_knobs_are_listed(capsys):
    assert main(["knobs"]) == 0
    printed = capsys.readouterr().out
    for name, knob in KNOBS.items():
        assert f"  {name}" in printed
        assert all(level in printed for level in knob.sets or knob.levels)
    for name in PRESETS:
        assert f"  {name} " in printed


@pytest.mark.render
def test_a_gallery_is_drawn(tmp_path, capsys):
    from PIL import Image

    out = tmp_path / "gallery.png"
    assert main(["gallery", "--knobs", "wall_color,shadows", "--size", "48", "--out", str(out)]) == 0
    width, height = Image.open(out).size
    assert width > 6 * 2 * 48 and height > 2 * 48
    assert main(["gallery", "--knobs", "fog", "--out", str(out)]) == 2
    assert main(["gallery", "--knobs", "friction", "--out", str(out)]) == 2
