"""The page of `bomb report`, read as HTML; tests/interop looks at it in a browser."""

import base64
import re
import sys
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from bomb.pages.page import Page, Raw
from bomb.report.board_charts import Path as ToolPath
from bomb.report.board_charts import offset_board, path_board, success_board
from bomb.report.charts import agreement_chart, differences_chart, reasons_chart, severity_chart, stages_chart
from bomb.report.loading import load_runs
from bomb.report.page import write_page
from bomb.report.summary import summarise
from bomb.statistics import rate, tango, undefined
from core.errors import BombError, install_command
from core.judge.checker import REASONS
from core.world.scene import BoardSpec
from tests.report.html import Outline
from tests.report.stores import condition, error, make_run

BACKENDS = ("mujoco", "robotwin")
MATRIX = [
    condition(p, b) for b in BACKENDS for p in ("clean", "board_pose:1", "board_pose:3", "words:letters")
]


def fails_more(where, seed):
    return seed % 10 >= {0: 1, 1: 3, 3: 6}.get(where.severity, 5)


def page_of(tmp_path, *runs) -> tuple[Outline, str]:
    file = tmp_path / "report.html"
    loaded = load_runs(runs)
    write_page(file, summarise(loaded), loaded, pairs=0)
    text = file.read_text()
    return Outline.of(text), text


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Two policies in two simulators; one was trained on perturbed data, and one episode broke."""
    tmp_path = tmp_path_factory.mktemp("both")
    errors = [error(MATRIX[0], 3), error(MATRIX[0], 3, attempt=2)]
    trained = {"trained_on": [{"split": "train", "perturbations": "clean"}]}
    first = make_run(
        tmp_path / "first",
        lambda where, seed: None if where is MATRIX[0] and seed == 3 else fails_more(where, seed),
        conditions=MATRIX, errors=errors, policy="clever(<b>&)", parameters=3_300_000, **trained,
    )  # fmt: skip
    trained = {"trained_on": [{"split": "train", "perturbations": ["board_pose:3"]}]}
    second = make_run(
        tmp_path / "second", lambda where, seed: seed % 10 >= 2, conditions=MATRIX, policy="steady", **trained
    )
    return page_of(tmp_path, first, second)


def test_it_has_every_section_and_needs_nothing_else(both):
    outline, text = both
    sections = [words for level, words in outline.headings if level == 2]
    assert sections == [
        "Headline", "Ceilings", "Success against severity", "By category, severity and simulator",
        "Perturbed against clean, seed by seed", "Trained × tested", "Policies on the same episodes",
        "Do the simulators agree?", "How episodes ended", "Where on the board", "Efficiency", "Errors",
        "Provenance",
    ]  # fmt: skip
    assert all(address.startswith(("data:", "#")) for address in outline.addresses)
    assert not re.search(r"url\(|@import|<script", text)


def test_headings_and_links_lead_somewhere(both):
    outline, _ = both
    levels = [level for level, _ in outline.headings]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(outline.links) == levels.count(2)
    assert all(link[1:] in outline.ids for link in outline.links)


def test_pictures_say_what_they_show(both):
    outline, _ = both
    assert len(outline.images) >= 10
    assert all(alt and len(alt) > 20 for alt, _ in outline.images)
    (curve,) = (alt for alt, _ in outline.images if alt.startswith("board pose"))
    assert "first, mujoco: clean 90%, severity 1 69%, severity 3 41%" in curve  # of those with a clean twin
    assert "second, robotwin: clean 80%, severity 1 80%, severity 3 80%" in curve


def test_numbers_are_those_of_the_summary(both):
    outline, _ = both
    assert "49" in outline.words and "of 50" in outline.words  # the broken episode is in no rate
    assert "1 episode could not be played" in outline.words and "nan in action 2, entry 0" in outline.words
    assert "int act/success" in outline.words.replace("_", " ") and "80% of 200" in outline.words
    assert "3.3 million" in outline.words and "25.00 ms" in outline.words
    assert re.search(r"Training on perturbations changes the gap by \+50", outline.words)


def test_names_are_words_and_never_markup(both):
    outline, text = both
    assert "clever(<b>&)" in outline.words and "<b>&)" not in text


@pytest.mark.parametrize("outcome", [lambda where, seed: None, lambda where, seed: False])
def test_a_run_without_episodes_or_successes_has_a_page(tmp_path, outcome):
    run = make_run(tmp_path / "run", outcome, conditions=MATRIX[:2], seeds=range(3))
    outline, _ = page_of(tmp_path, run)
    assert "undefined" in outline.words or "0%" in outline.words


def test_tasks_and_one_condition_alone(tmp_path):
    conditions = [condition(task=task) for task in ("place_stone", "tic_tac_toe")]

    def change(where, seed):
        estimate = {"total": 3, "done": 2, "complete": False, "wrong": [1], "placements": []}
        return {"goal": {"kind": "pattern", "stones": []}, "moves": estimate} if "tic" in where.task else {}

    run = make_run(tmp_path / "run", fails_more, conditions=conditions, change=change)
    outline, _ = page_of(tmp_path, run)
    assert "Moves in a row" in [words for _, words in outline.headings]
    assert any(alt.startswith("Success: place_stone, mujoco") for alt, _ in outline.images)


def charts():
    clean, worse = rate([True] * 9 + [False]), rate([True] * 2 + [False] * 8)
    yield severity_chart(
        "knob", [("a", (0, 0), [(0, clean), (5, worse)]), ("b", (1, 1), [(0, undefined("?"))])], "c"
    )
    yield reasons_chart({"all": dict.fromkeys(REASONS, 1) | {"success": 4}}, "c")
    yield differences_chart("d", [("x", tango(1, 5, 10)), ("y", undefined("no pairs"))], "points", "c")
    yield agreement_chart("a", BACKENDS, [("clean", 0.9, 0.8), ("knob:5", 0.2, 0.3)], "c")
    yield stages_chart("s", [("a", (0, 0), [("reached", 1.0), ("placed", 0.25)])], "c")
    yield success_board("b", {(0, 0): (0, 3), (4, 4): (3, 3), (2, 2): (0, 0)}, BoardSpec(), "c")
    yield offset_board(
        "o", {(1, 3): np.array([[3.0, -4.0]]), (0, 0): np.empty((0, 2))}, BoardSpec(), 10.0, "c"
    )
    yield path_board("p", [("a", [ToolPath(points=np.eye(2), success=True)])], BoardSpec(), "c")


def test_charts_are_svg_with_words_and_come_out_the_same_twice():
    once, again = list(charts()), list(charts())
    for chart, other in zip(once, again, strict=True):
        root = ElementTree.fromstring(chart.data)
        assert root.tag.endswith("svg") and float(root.get("width")[:-2]) < 330  # pt, made for a phone
        assert chart.data == other.data
    words = [chart.alt for chart in once]
    assert words[0] == "knob: a: clean 90%, severity 5 20%; b: clean undefined"
    assert "4 success" in words[1] and "1 knocked another stone" in words[1]
    assert words[2].startswith("d: x −40 [") and "y undefined (no pairs)" in words[2]
    assert words[3] == "a: clean: mujoco 90%, robotwin 80%; knob:5: mujoco 20%, robotwin 30%"
    assert words[4] == "s: a: reached 100%, placed 25%"
    assert "(0, 0) 0 of 3; (4, 4) 3 of 3" in words[5] and "(2, 2)" not in words[5]
    assert words[6].endswith("(1, 3) +3.0 mm, -4.0 mm")


def test_row_0_is_drawn_on_top_and_column_0_on_the_left():
    """Discs in the order of the counts: their places in the SVG, whose y grows downwards."""
    counts = {(0, 0): (1, 1), (0, 4): (1, 1), (4, 0): (1, 1)}
    text = success_board("b", counts, BoardSpec(), "c").data.decode()
    discs = re.findall(r'<path d="M ([\d.]+) ([\d.]+) \nC', text)
    (x0, y0), (x1, y1), (x2, y2) = [(float(x), float(y)) for x, y in discs][:3]
    assert x1 > x0 + 50 and abs(y1 - y0) < 1 and y2 > y0 + 50 and abs(x2 - x0) < 1


def test_tables_scroll_by_themselves_and_cells_are_escaped():
    page = Page("<t>", contents=True)
    page.heading("A b")
    page.heading("A b")
    page.table(["<h>"], [["1 < 2"], [Raw("<b>x</b>")]], "cap & tion")
    text = page.html()
    outline = Outline.of(text)
    assert '<div class="table" role="region" tabindex="0" aria-label="cap &amp; tion">' in text
    assert "&lt;h&gt;" in text and "<b>x</b>" in text and "1 &lt; 2" in text
    assert outline.links == ["#a-b", "#a-b-1"]


def test_pictures_are_embedded_whole(tmp_path):
    page, data = Page("t"), b"\x89PNG whatever"
    (tmp_path / "p.png").write_bytes(data)
    page.picture(tmp_path / "p.png", "under it", alt="what it is")
    page.picture(data, "no words of its own")
    outline = Outline.of(page.html())
    assert [alt for alt, _ in outline.images] == ["what it is", "no words of its own"]
    sources = [a for a in outline.addresses if a.startswith("data:image/png;base64,")]
    assert {base64.b64decode(source.partition(",")[2]) for source in sources} == {data}


def test_series_that_were_not_kept_are_said_and_not_drawn(tmp_path):
    run = make_run(tmp_path / "run", fails_more, conditions=MATRIX[:1], seeds=range(4))
    outline, _ = page_of(tmp_path, run)
    assert "The tool's way over the board" not in outline.words


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", fails_more, conditions=MATRIX[:2], seeds=range(3))
    loaded = load_runs([run])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(BombError, match=re.escape(install_command("report"))):
        write_page(tmp_path / "report.html", summarise(loaded), loaded, pairs=0)
    assert not (tmp_path / "report.html").exists()


def test_offsets_are_of_every_placement_and_of_near_misses(tmp_path):
    goals = [{"kind": "intersection", "color": "black", "row": 0, "column": k} for k in range(2)]
    done = [{"goal": goals[0], "distance_mm": 5.0, "offset_mm": [3.0, 4.0]}]

    def change(where, seed):
        if "go" in where.task:
            moves = {"total": 2, "done": 1, "complete": True, "wrong": [], "placements": done}
            return {"goal": goals[1], "moves": moves, "reason": "dropped"}
        return {"goal": goals[1], "reason": "beyond_tolerance", "verdict": {"offset_mm": [12.0, 0.0]}}

    conditions = [condition(task=task) for task in ("go_sequence", "place_stone")]
    run = make_run(
        tmp_path / "run", lambda where, seed: False, conditions=conditions, seeds=range(2), change=change
    )
    outline, _ = page_of(tmp_path, run)
    words = [alt for alt, _ in outline.images if alt.startswith(("Success: ", "Offset: "))]
    assert [(line.partition(",")[0], line.rpartition("column: ")[2]) for line in words] == [
        ("Offset: go_sequence", "(0, 0) +3.0 mm, +4.0 mm"),
        ("Success: place_stone", "(0, 1) 0 of 2"),
        ("Offset: place_stone", "(0, 1) +12.0 mm, +0.0 mm"),
    ]
