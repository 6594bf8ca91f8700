"""Success by what was drawn, against outcomes that depend on one draw alone."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from bomb.report.draws import permuted
from bomb.report.loading import load_runs
from bomb.report.markdown import to_markdown
from bomb.report.page import write_page
from bomb.report.sections_draws import strip
from bomb.report.summary import summarise
from bomb.statistics import wilson
from core.perturbations.presets import make_suite
from tests.report.stores import condition, make_run

SUITE = make_suite({"table_texture": "unseen", "camera_orbit": 3, "arm_start": 3, "shadows": "off"})
WHERE = condition("bomb:3")


def draws(seed: int) -> dict:
    return SUITE.draw("test", seed)


def turned(seed: int) -> float:
    return draws(seed)["camera_orbit"]["cameras"]["head"]["angle_rad"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The policy fails where the head camera was turned to one side."""
    return make_run(
        tmp_path_factory.mktemp("draws") / "run",
        lambda where, seed: where.perturbation == "clean" or turned(seed) > 0,
        conditions=[condition(), WHERE],
        seeds=range(60),
        change=lambda where, seed: {"draws": {**draws(seed), "twin": {}}} if where is WHERE else {},
    )


def test_the_draw_that_decides_comes_first(run):
    summary = summarise(load_runs([run]))
    tables = summary.runs[0].draws
    assert {table.perturbation for table in tables} == {"bomb:3"}  # a clean world draws nothing
    named = {(table.knob, table.value): table for table in tables}
    assert set(named) == {
        ("table_texture", "texture"),
        ("camera_orbit", "head: angle_rad"),  # the policy saw through no other camera
        ("arm_start", "length of offset_m"),
    }
    first = tables[0]
    assert (first.knob, first.value) == ("camera_orbit", "head: angle_rad")
    low, middle, high = first.groups
    assert low.success.value == 0 and high.success.value == 1 and low.label.endswith("°")
    assert sum(group.success.n for group in first.groups) == 60
    assert middle.success.interval == wilson(round(middle.success.value * 20), 20).interval
    textures = named["table_texture", "texture"].groups
    for group in textures:
        seeds = [seed for seed in range(60) if draws(seed)["table_texture"]["texture"] == group.label]
        assert group.success.n == len(seeds)
        assert group.success.value == pytest.approx(np.mean([turned(seed) > 0 for seed in seeds]))
    assert first.p_value == pytest.approx(1e-4) and first.p_holm == pytest.approx(3e-4)
    assert named["table_texture", "texture"].p_holm > 0.05


def test_page_and_terminal_show_table_and_intervals(run, tmp_path):
    runs = load_runs([run])
    summary = summarise(runs)
    write_page(tmp_path / "report.html", summary, runs, pairs=0)
    page = (tmp_path / "report.html").read_text()
    assert "By what was drawn" in page and "camera orbit: head: angle" in page
    assert "All 3 groupings of mujoco, bomb:3" in page and "&lt; 0.001" in page
    text = to_markdown(summary)
    lines = [line for line in text.splitlines() if "camera orbit: head: angle" in line]
    assert len(lines) == 1 and "`o---]" in lines[0] and "0.0% [0.0, 16.1]" in lines[0]


@pytest.mark.parametrize("groups", [([1] * 9 + [0] * 11, [1] * 16 + [0] * 4), ([1] * 30, [1] * 28 + [0] * 2)])
def test_the_p_value_is_that_of_the_exact_test(groups):
    """Two groups: the exact conditional distribution, summed up over all tables with a statistic as large."""
    table = np.array([[sum(group), len(group) - sum(group)] for group in groups])
    total = fisher_exact(table).pvalue
    found = permuted(groups)
    assert found == pytest.approx(total, abs=0.02)
    assert (found < 0.05) == (chi2_contingency(table, correction=False).pvalue < 0.05)


def test_a_line_of_text():
    assert strip(wilson(0, 20)) == "o---]" + " " * 20 and strip(wilson(20, 20)) == " " * 20 + "[---o"
    assert len(strip(wilson(7, 20))) == 25 and strip(wilson(0, 0)) == " " * 25
