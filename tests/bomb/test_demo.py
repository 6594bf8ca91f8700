"""The demo's page, and the whole demo at its smallest."""

import re
from dataclasses import replace

import av
import numpy as np
import pytest

from bomb.cli.demo import chosen_policy
from bomb.demo.demo import DemoSettings, demo
from bomb.demo.page import parity_rows, told, write_page
from bomb.demo.results import SHIPPED, DemoResults
from bomb.machine.diagnosis import Finding
from bomb.pages.page import Page, Raw
from bomb.parity.comparison import ParityComparison
from bomb.parity.table import Bound, Row
from bomb.pictures.images import write_png
from bomb.policies.registry import POLICIES, register_policy
from bomb.statistics import Estimate
from core.errors import UnknownNameError

ENTRY = {"value": 0.12345, "interval": [0.1, None], "n": 20, "bound": 0.5, "verdict": "passes"}
ROW = Row(
    key="arm_rms_mm",
    estimate=Estimate(value=0.12345, low=0.1, high=None, n=20),
    bound=Bound(value=0.5, at_least=False),
)


@pytest.fixture
def small_parity(monkeypatch):
    """A parity table of three lines, in the place of the measurement."""

    def compare(plan, say):
        assert plan.episodes and plan.split == "parity"
        rows = [ROW, replace(ROW, key="expert_success", part="mujoco")]
        return ParityComparison(rows=(*rows, replace(rows[1], part="robotwin")), interrupted=False)

    monkeypatch.setattr("bomb.demo.demo.compare", compare)


def check_self_contained(html: str) -> None:
    """No reference leaves the page."""
    assert not [
        source for source in re.findall(r'(?:src|href)="([^"]+)"', html) if not source.startswith("data:")
    ]
    assert "NaN" not in re.sub(r'"data:[^"]+"', "", html)


def test_words_are_escaped_and_code_is_code(tmp_path):
    page = Page("A < B")
    page.paragraph("type `make <this>`")
    page.table(["x"], [["<b>"], [Raw("<b>kept</b>")], ["12"]])
    write_png(tmp_path / "p.png", np.zeros((4, 4, 3), dtype=np.uint8))
    page.picture(tmp_path / "p.png", "black")
    html = page.html()
    assert "A &lt; B" in html and "<code>make &lt;this&gt;</code>" in html
    assert "<td>&lt;b&gt;</td>" in html and "<td><b>kept</b></td>" in html
    assert '<td class="number">12</td>' in html
    check_self_contained(html)


def test_parity_entries_become_rows():
    rows = parity_rows("expert_success", {"mujoco": ENTRY, "robotwin": {**ENTRY, "notes": ["<few>"]}})
    assert [row[0] for row in rows] == ["the expert places, mujoco", "the expert places, robotwin"]
    assert rows[0][1:5] == ["0.1235", "[0.1, ?]", "20", "≥ 0.5"]
    assert 'class="good"' in rows[0][5] and "&lt;few&gt;" in rows[1][5]
    assert parity_rows("versions", "4.0.0") == []


def test_a_page_without_results_says_why(tmp_path):
    write_page(tmp_path / "index.html", DemoResults(notes=["no driver"]), 5)
    assert "no driver" in (tmp_path / "index.html").read_text()


def test_the_demo_without_pictures(tmp_path, small_parity):
    said = []
    page = demo(DemoSettings(out=tmp_path, episodes=1, parity_episodes=1, pictures=False), said.append)
    html = page.read_text()
    check_self_contained(html)
    assert "skipped" in html and "100.0%" in html and "0.1235" in html
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "expert_mujoco.json",
        "expert_robotwin.json",
        "index.html",
        "parity.json",
    ]


@pytest.mark.render
def test_the_demo_with_pictures(tmp_path, small_parity, monkeypatch):
    works = Finding(what="renderer", ok=True, found="draws")  # tests/bomb/test_cli.py tries it truly
    monkeypatch.setattr("bomb.demo.demo.try_backend", lambda *asked: works)
    monkeypatch.setattr("bomb.demo.demo.MAX_STEPS", 40)  # what is drawn is looked at, not how it ends
    settings = DemoSettings(
        out=tmp_path, episodes=1, sheets=1, image_size=(48, 64), policy="hold", policy_episodes=2
    )
    html = demo(settings, lambda words: None).read_text()
    check_self_contained(html)
    # Beside the expert, another policy: in the table, in the video and in the pictures.
    assert "The scripted expert, and a policy that looks" in html and "<code>hold</code> gets nothing" in html
    rows = re.findall(r"<tr><td>(expert|hold)</td><td>(.*?)</td><td>(mujoco|robotwin)</td>", html)
    assert rows == [
        (who, told, engine)
        for who, told in (("expert", "the true state"), ("hold", "nothing but words and its own arm"))
        for engine in ("mujoco", "robotwin")
    ]
    with av.open(str(tmp_path / "episode_0.mp4")) as video:
        height, width = next(video.decode(video=0)).to_ndarray(format="rgb24").shape[:2]
    assert width >= 2 * 64 and height >= 2 * 48  # a row for each player, a column for each simulator
    assert (tmp_path / "policy_mujoco.json").exists()
    assert html.count("data:video/mp4") == 1 and html.count("data:image/png") == 2
    assert (tmp_path / "episode_0.mp4").stat().st_size > 1000


def test_a_policy_that_cannot_play_is_a_note(tmp_path, small_parity):
    settings = DemoSettings(
        out=tmp_path, episodes=1, parity_episodes=1, pictures=False, policy="tests.nowhere:Nobody"
    )
    html = demo(settings, lambda words: None).read_text()
    assert "plays from pictures, and none can be drawn here" in html and "it is the only player here" in html


def test_which_policy_plays(monkeypatch):
    assert chosen_policy("none") is None and chosen_policy("blind(hold)") == "blind(hold)"
    with pytest.raises(UnknownNameError, match="unknown policy 'nobody'"):
        chosen_policy("nobody")
    assert (chosen_policy(None) == SHIPPED) == (SHIPPED in POLICIES.names())
    with POLICIES.temporarily():
        if SHIPPED not in POLICIES.names():
            register_policy(SHIPPED, "bomb.policies.simple:HoldPolicy")
        assert chosen_policy(None) == SHIPPED
    shown = {"privileged": False, "cameras": ["head", "wrist"], "image_size": [128, 96]}
    assert told(shown) == "pictures of head and wrist, 128 × 96"
