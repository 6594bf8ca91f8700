"""The page of `bomb report` in a real Chromium, at the width of a desk and of a phone."""

import json
from pathlib import Path

import pytest

from scripts.browser import Browser
from tests.interop.conftest import install, new_python, run

WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}
# Small runs whose failures are sure: the arm's commands arrive half a second late.
RUNS = {
    "noisy": ("noisy_expert(0.015)", "clean,action_latency:3,action_latency:5"),
    "expert": ("expert", "clean,action_latency:3"),
}

pytestmark = pytest.mark.timeout(1800)

# Everything that can be asked of pictures and videos; waits until each video could show its middle.
MEDIA = """
(async () => {
  const problems = [];
  for (const d of document.querySelectorAll('details')) d.open = true;
  for (const image of document.images) {
    try { await image.decode(); } catch (e) { problems.push('picture cannot be decoded: ' + image.alt); }
    if (!(image.naturalWidth > 0)) problems.push('picture without pixels: ' + image.alt);
    if (!image.alt) problems.push('picture without words');
  }
  for (const video of document.querySelectorAll('video')) {
    const about = video.getAttribute('aria-label') || 'video';
    const moved = new Promise((done, failed) => {
      video.onseeked = done; video.onerror = () => failed(new Error('cannot be played'));
      setTimeout(() => failed(new Error('took too long')), 30000);
    });
    try {
      if (video.error) throw new Error('cannot be played');
      if (video.readyState < 1) await new Promise((done, failed) => {
        video.onloadedmetadata = done; video.onerror = () => failed(new Error('cannot be played'));
      });
      video.currentTime = video.duration / 2;
      await moved;
      if (!(video.duration > 0.5 && video.videoWidth > 0 && video.readyState >= 2))
        throw new Error(`duration ${video.duration}, width ${video.videoWidth}, state ${video.readyState}`);
      await video.play();
      video.pause();
    } catch (e) { problems.push(`${about}: ${e.message}`); }
  }
  return problems;
})()
"""
WIDER = """
(() => {
  const limit = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= limit) return [];
  const wide = [...document.querySelectorAll('main *')].filter(
    e => e.getBoundingClientRect().right > limit + 1 && !e.closest('.table, pre'));
  return ['the page is wider than the window: ' + wide.slice(0, 3).map(e => e.outerHTML.slice(0, 80))];
})()
"""
COUNTS = """
({pictures: document.images.length, videos: document.querySelectorAll('video').length,
  headings: [...document.querySelectorAll('h2')].map(h => h.textContent),
  broken: [...document.querySelectorAll('nav a')].filter(a => !document.querySelector(a.hash)).length})
"""


def problems(browser: Browser, address: str) -> list[str]:
    """What is wrong with a page as it is seen now."""
    browser.ask("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1,
                uploadThroughput=-1)  # fmt: skip
    heard = browser.open(address)
    found = [*browser.evaluate(MEDIA, timeout=300), *browser.evaluate(WIDER)]
    found += [f"asked for {request}" for request in heard.requests if request != address]
    return [*found, *(f"console: {line}" for line in heard.console), *(f"load: {f}" for f in heard.failed)]


@pytest.fixture(scope="module")
def page(tmp_path_factory, wheel) -> Path:
    """A report of two policies in both simulators, made by the installed package."""
    folder = tmp_path_factory.mktemp("report")
    python = new_python(folder)
    install(python, f"{wheel}[report]")
    bomb = str(python.parent / "bomb")
    sizes = ("--episodes", "6", "--max-steps", "200", "--stop-on-success")
    for name, (policy, perturbations) in RUNS.items():
        asked = ("--policy", policy, "--backend", "mujoco,robotwin", "--perturbations", perturbations)
        run(bomb, "evaluate", *asked, *sizes, "--out", name, cwd=folder)
    said = run(bomb, "report", *RUNS, "--out", "page.html", "--pairs", "1", cwd=folder)
    assert "page.html" in said.splitlines()  # and lines of a renderer
    summary = json.loads(run(bomb, "report", *RUNS, "--format", "json", cwd=folder))
    assert [entry["episodes"] for entry in summary["runs"]] == [36, 24]
    return folder / "page.html"


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        yield opened


@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_whole_at_this_width(page, browser, width):
    browser.resize(*WIDTHS[width], phone=width == "phone")
    assert problems(browser, page.as_uri()) == []
    counts = browser.evaluate(COUNTS)
    assert counts["pictures"] >= 15 and counts["videos"] == 1 and counts["broken"] == 0
    assert {"Headline", "Twins, side by side", "Where on the board"} <= set(counts["headings"])


BROKEN = {
    "<img alt='x' src='data:image/png;base64,AAAA'>": "picture cannot be decoded: x",
    "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA='>": "picture without words",
    "<video src='data:video/mp4;base64,AAAA'></video>": "video: cannot be played",
    "<div style='width:2000px'>x</div>": "the page is wider than the window",
    "<script>console.error('oh no')</script>": "console: oh no",
    "<script>throw new Error('oh')</script>": "console: Uncaught",
    "<img alt='x' src='http://example.invalid/x.png'>": "asked for http://example.invalid/x.png",
}


@pytest.mark.parametrize("markup", BROKEN)
def test_what_is_broken_is_found(browser, tmp_path, markup):
    file = tmp_path / "broken.html"
    file.write_text(f"<!DOCTYPE html><title>t</title><link rel='icon' href='data:,'><main>{markup}</main>")
    browser.resize(*WIDTHS["desk"])
    found = problems(browser, file.as_uri())
    assert any(problem.startswith(BROKEN[markup]) for problem in found), found
