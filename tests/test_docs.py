"""The documentation says what is there: links, commands, files, code and numbers."""

import re
from pathlib import Path

import pytest

from bomb.cli import VERBS
from bomb.rollouts.gymnasium_plugin import ENVIRONMENTS
from core.world.scene import BoardSpec, StoneSpec
from core.world.stage import CAMERAS, LIGHTS
from tests.test_imports import ORDER

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
# Keys of a protocol that look like files.
WIRE_KEYS = {
    key
    for file in (ROOT / "bomb" / "integrations" / "openpi").glob("*.py")
    for key in re.findall(r'"(bomb/\w+)"', file.read_text())
}
# Dotted like modules: groups of entry points, and the file beside a checkpoint.
GROUPS = ("tasks", "backends", "policies", "perturbations", "policy_schemes", "backbones", "families")
NO_MODULES = {"bomb.json", *(f"bomb.{group}" for group in GROUPS)}
LOCAL_FOLDERS = "backends|benchmarks|bomb|core|csrc|docs|examples|scripts|tasks|tests"

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def code_blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pages
def test_links_resolve(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        if not file.exists() or (anchor and anchor not in anchors(file.read_text())):
            broken.append(target)
    assert not broken


@pages
def test_python_compiles(page):
    for block in code_blocks(page.read_text(), "python"):
        compile(block, str(page), "exec")


@pages
def test_commands_exist(page):
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    shell = "\n".join([*code_blocks(text, ""), *code_blocks(text, "bash"), *re.findall(r"`([^`\n]+)`", text)])
    for verb in re.findall(r"(?:^|\bpython -m )bomb ([a-z]+)", shell, flags=re.MULTILINE):
        assert verb in VERBS, f"bomb {verb}"
    for target in re.findall(r"^make ([a-z-]+)", shell, flags=re.MULTILINE):
        assert target in targets, f"make {target}"


@pages
def test_files_that_are_named_exist(page):
    named = re.findall(rf"`((?:{LOCAL_FOLDERS})/[\w./-]+)`", page.read_text())
    known = {*ENVIRONMENTS, *WIRE_KEYS}
    assert not [name for name in named if name not in known and not (ROOT / name).exists()]


SOURCES = sorted(
    file
    for folder in LOCAL_FOLDERS.split("|")
    for kind in ("*.py", "*.cpp", "*.hpp", "*.sh")
    for file in (ROOT / folder).rglob(kind)
)


ENDINGS = r"/[\w./-]+\.(?:py|md|[ch]pp|sh)"


def test_files_that_sources_name_exist():
    """In comments, docstrings and strings: ``folder/file.ending`` below a folder of ours."""
    wrong = []
    for file in SOURCES:
        named = re.findall(rf"(?<![\w./}}*-])((?:{LOCAL_FOLDERS}){ENDINGS})\b", file.read_text())
        wrong += [f"{file.relative_to(ROOT)} names {name}" for name in named if not (ROOT / name).exists()]
    assert not wrong, "\n".join(wrong)


DOTTED = r"(?:`|python -m )((?:core|bomb|backends|tasks|benchmarks)(?:\.\w+)+)`"


def test_names_in_docstrings_and_pages_exist():
    """What stands in backticks as ``core.task.Episode`` is a module, or something that the module has."""
    wrong = []
    for file in [*PAGES, *SOURCES]:
        for name in re.findall(DOTTED, file.read_text()):
            if name not in NO_MODULES and not _known(name):
                wrong.append(f"{file.relative_to(ROOT)} names {name}")
    assert not wrong, "\n".join(wrong)


def _known(name: str) -> bool:
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        module = ROOT.joinpath(*parts[:count])
        for file in (module / "__init__.py", module.with_suffix(".py")):
            if file.is_file():
                return count == len(parts) or bool(re.search(rf"\b{parts[count]}\b", file.read_text()))
    return False


def test_the_architecture_page_lists_every_room_in_the_order_of_imports():
    page = (ROOT / "docs" / "architecture.md").read_text()
    (tree,) = re.findall(r"^## The house\n\n```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    listed: dict[str, list[str]] = {}
    house = ""
    for indent, name in re.findall(r"^( *)(\w+)/", tree, re.MULTILINE):
        house = house if indent else name
        listed.setdefault(house, []).extend([name] if indent else [])
    for house, order in ORDER.items():
        assert listed[house] == [name for name in order if (ROOT / house / name).is_dir()]


@pages
def test_nobody_is_sent_to_a_stranger(page):
    assert not re.search(r"pip3? install (bomb|tasks|backends|core)\b", page.read_text())


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text()
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index]
    assert set(missing) <= {"index.md"}


def test_the_stage_page_has_the_numbers_of_the_stage():
    text = (ROOT / "docs" / "stage.md").read_text()

    triples = re.findall(r"\(([-\d.]+), ([-\d.]+), ([-\d.]+)\)", text)
    written = {tuple(float(value) for value in triple) for triple in triples}
    for camera in CAMERAS.values():
        assert camera.eye in written, f"eye of {camera.name}: {camera.eye}"
        assert camera.forward in written, f"forward of {camera.name}: {camera.forward}"
    sun = next(light for light in LIGHTS if light.kind == "directional")
    assert sun.direction in written
    stone, board = StoneSpec(color="black"), BoardSpec()
    for metres in (2 * stone.radius, stone.height, 2 * stone.flat_radius, stone.rim_height, board.pitch):
        assert f"{metres * 1000:g} mm" in text
