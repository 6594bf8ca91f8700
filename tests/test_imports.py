"""The house's rules about who may import whom, held by parsing every import."""

import ast
import importlib
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from bomb.policies.registry import POLICIES
from core import registry
from tests.import_rules import circle, edges, modules, parsed, reached, room, upward

ROOT = Path(__file__).resolve().parent.parent
HOUSES = ("core", "tasks", "backends", "bomb")
PYTHON_FOLDERS = (*HOUSES, "tests", "benchmarks", "scripts")
ENGINES = {"mujoco": {"mujoco"}, "robotwin": {"sapien"}}  # folder of a backend: its engine's modules
EVERY_ENGINE = set().union(*ENGINES.values())

# What each house may import besides itself and the standard library: at the top of a file, and
# only inside functions (packages that are slow to load, or that not every use needs).
TOP = {
    "core": {"numpy", "gymnasium", "PIL", "pinocchio", "eigenpy"},
    "tasks": {"core", "numpy"},
    "backends": {"core", "numpy", "pinocchio", "eigenpy", "PIL"},
    "bomb": {"core", "tasks", "numpy", "gymnasium"},
}
LAZY = {
    "core": {"trimesh", "fast_simplification", "scipy"},
    "tasks": {"pyspiel"},
    "backends": {"trimesh"},
    "bomb": {
        *("PIL", "av", "tqdm", "scipy", "skimage", "trimesh"),
        # of the extras
        *("matplotlib", "pyarrow", "websockets", "msgpack", "torch", "transformers"),
        *("safetensors", "tokenizers", "peft", "accelerate", "yaml", "tensorflow", "tensorflow_datasets"),
        *("vla_eval", "ray", "rerun"),
    },
}

# The rooms of a house from the lowest to the highest; a loose module is a room of its own. Each may import
# those before it, and nothing else of the house.
ORDER = {
    "core": (
        *("errors", "seeding", "registry", "world", "board", "policy", "task", "backend", "perturbations"),
        *("judge", "control", "language", "rendering", "episode", "settings", "environment", "make"),
        *("testing", "__init__"),
    ),
    "bomb": (
        # tools that know nothing of episodes
        *("statistics", "disk", "machine", "processes", "pages"),
        # an episode, its pictures, what a run is on disk, and those who play
        *("rollouts", "pictures", "runs", "demonstrations", "policies"),
        # what is done with them
        *("collecting", "evaluation", "exports", "inspection", "parity", "report", "results"),
        *("integrations", "models"),
        *("training", "explanation"),
        # how it is asked for
        *("demo", "cli", "__init__", "__main__"),
    ),
}

# Modules that are themselves imported on first use: these are made of another project's classes.
TOP_OF_FILE = {
    **{f"bomb/integrations/vla_eval/{name}.py": {"vla_eval"} for name in ("benchmark", "specs")},
    **{f"bomb/training/{name}.py": {"accelerate"} for name in ("loop", "saving", "summing")},
}

# Models are classes of torch's, so their modules need it; but not these, which commands and policies import.
WITHOUT_TORCH = (
    "__init__",
    "policy",
    "registry",
    "requests",
    "settings",
    "noise",
    "pictures",
    "words",
    "codecs",
)


@dataclass(frozen=True)
class Import:
    """One imported module and where it stands."""

    file: Path
    line: int
    module: str
    at_top: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"

    @property
    def package(self) -> str:
        return self.module.split(".")[0]


def files(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def tree(file: Path) -> ast.Module:
    return parsed(file)[0]


def imports(file: Path) -> list[Import]:
    found = []

    def visit(node: ast.AST, at_top: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.extend(Import(file, child.lineno, alias.name, at_top) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{file}:{child.lineno}: relative import"
                names = [alias.name for alias in child.names]
                module = child.module or ""
                # `from backends import mujoco` reaches a submodule just as `import backends.mujoco` does.
                found.extend(Import(file, child.lineno, f"{module}.{name}", at_top) for name in names)
            elif not _is_type_checking(child):
                visit(child, at_top and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))

    visit(tree(file), True)
    return found


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def of_torch(file: Path) -> bool:
    """Whether a module is one of those that are imported only where torch is."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    if parts[:2] == ("bomb", "training") or parts[:3] == ("bomb", "explanation", "inside"):
        return True
    if parts[:2] != ("bomb", "models"):
        return False
    return parts[2] not in WITHOUT_TORCH and parts[2:] not in {("command", "listing"), ("command", "moments")}


def foreign(house: str) -> list[Import]:
    """Imports of a house that are neither its own nor the standard library's."""
    every = [found for file in files(house) for found in imports(file)]
    return [found for found in every if found.package not in {house, *sys.stdlib_module_names}]


@pytest.mark.parametrize("house", HOUSES)
def test_a_house_imports_only_what_it_may(house):
    engines = EVERY_ENGINE if house == "backends" else set()
    wrong = [
        str(found)
        for found in foreign(house)
        if found.package
        not in TOP[house]
        | engines
        | TOP_OF_FILE.get(found.file.relative_to(ROOT).as_posix(), set())
        | ({"torch"} if of_torch(found.file) else set())
        | (set() if found.at_top else LAZY[house])
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("house", ["core", "bomb"])
def test_importing_a_house_loads_nothing_slow(house):
    slow = sorted({"pinocchio", "eigenpy", "trimesh", "scipy", "skimage", "av"} | EVERY_ENGINE)
    code = f"import sys, {house}; print(*[name for name in {slow} if name in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == []


def test_a_backend_imports_its_own_engine_and_no_other_backend():
    wrong = []
    for name, engine in ENGINES.items():
        for file in files(f"backends/{name}"):
            for found in imports(file):
                other_backend = found.package == "backends" and found.module.split(".")[1:2] != [name]
                if other_backend or found.package in EVERY_ENGINE - engine:
                    wrong.append(str(found))
    assert not wrong, "\n".join(wrong)
    assert {path.name for path in (ROOT / "backends").iterdir() if (path / "__init__.py").is_file()} == set(
        ENGINES
    )


def test_nothing_outside_of_backends_asks_for_one_by_name():
    """No comparison with a backend's name, no table keyed by it, no import string of it."""
    names, wrong = set(ENGINES), []
    for file in files("core", "tasks", "bomb"):
        if file == ROOT / "core" / "registry.py":
            continue
        for node in parsed(file)[1]:
            values: list[ast.AST | None] = []
            if isinstance(node, ast.Compare):
                values = [node.left, *node.comparators]
            elif isinstance(node, ast.Dict):
                values = node.keys
            elif isinstance(node, ast.MatchValue | ast.Subscript):
                values = [node.value if isinstance(node, ast.MatchValue) else node.slice]
            constants = {value.value for value in values if isinstance(value, ast.Constant)}
            reached = isinstance(node, ast.Constant) and str(node.value).startswith("backends.")
            if constants & names or reached:
                wrong.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("house", ORDER)
def test_rooms_import_only_what_is_below_them(house):
    assert {room(name) for name in modules(ROOT, house)} == set(ORDER[house]), "the order lists every room"
    wrong = upward(edges(ROOT, house), ORDER[house])
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("house", HOUSES)
def test_no_modules_import_each_other_in_a_circle(house):
    assert circle(edges(ROOT, house)) == []


def test_runs_are_read_for_a_report_in_one_place():
    readers = {edge.importer for edge in edges(ROOT, "bomb") if edge.imported == "bomb.runs.store"}
    assert {name for name in readers if name.startswith("bomb.report.")} == {"bomb.report.loading"}


def test_processes_of_our_own_are_started_in_one_place():
    """Other programs may be run (``subprocess.run``), and gymnasium starts its own (``AsyncVectorEnv``)."""
    starters, wrong = {"Process", "Popen", "Pool", "ProcessPoolExecutor", "fork", "get_context"}, []
    for file in files(*HOUSES):
        if file.parent == ROOT / "bomb" / "processes":
            continue
        for node in parsed(file)[1]:
            called = node.func if isinstance(node, ast.Call) else None
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
            if name in starters:
                wrong.append(f"{file.relative_to(ROOT)}:{node.lineno} calls {name}")
    assert not wrong, "\n".join(wrong)


PUBLIC_ALL_THE_SAME = {
    "_replace",
    "_asdict",
    "_fields",
    "_exit",
    "_checker",
}  # named tuples, os, the compiled checker


def test_tests_and_benchmarks_use_public_names():
    """What they need of the inside has a public way in: ``Environment.debug``, ``Registry.temporarily``."""
    wrong = []
    for file in files("tests", "benchmarks", "examples", "scripts"):
        for node in parsed(file)[1]:
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in HOUSES:
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") not in ("self", "cls"):
                names = [node.attr]
            else:
                continue
            private = [n for n in names if n[:1] == "_" != n[1:2] and n not in PUBLIC_ALL_THE_SAME]
            wrong += [f"{file.relative_to(ROOT)}:{node.lineno} uses {name}" for name in private]
    assert wrong == [], "\n".join(wrong)


def defined(file: Path) -> set[str]:
    """Public classes, and aliases and variables of types, that a module defines at its top."""
    found = set()
    for node in tree(file).body:
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in found if name[0].isupper() and not name.isupper()}


def test_no_public_type_name_has_three_meanings():
    where: dict[str, list[str]] = {}
    for file in files(*HOUSES):
        for name in defined(file):
            where.setdefault(name, []).append(str(file.relative_to(ROOT)))
    assert {name: found for name, found in where.items() if len(found) > 2} == {}


def test_few_modules_stand_outside_of_a_room():
    loose = {house: {file.stem for file in (ROOT / house).glob("*.py")} for house in ("core", "bomb")}
    assert len(loose["core"]) <= 10, sorted(loose["core"])
    assert loose["bomb"] == {"__init__", "__main__"}


@pytest.mark.parametrize(
    ("line", "importer", "imported"),
    [
        ("from core.make import make_task", "core.world.scene", "core.make"),
        ("def f():\n    import core.judge.referee", "core.task", "core.judge.referee"),
        ("if TYPE_CHECKING:\n    from core.judge import referee", "core.task", "core.judge.referee"),
        ("import core", "core.task", "core"),
    ],
)
def test_an_upward_import_is_found(tmp_path, line, importer, imported):
    planted = _planted(tmp_path, importer, line)
    assert [(e.importer, e.imported) for e in upward(planted, ORDER["core"])] == [(importer, imported)]


def test_a_circle_is_found(tmp_path):
    planted = _planted(tmp_path, "core.world.scene", "def f():\n    from core.world.state import SceneState")
    assert circle(planted) == []
    planted = _planted(tmp_path, "core.world.state", "from core.world import scene")
    assert set(circle(planted)) == {"core.world.scene", "core.world.state"}


def _planted(root: Path, module: str, line: str) -> list:
    """Imports of a house of empty files, with a line in one of them."""
    for file in files("core"):
        (root / file.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        (root / file.relative_to(ROOT)).touch()
    (root / Path(*module.split("."))).with_suffix(".py").write_text(line)
    return edges(root, "core")


def test_the_checker_reaches_no_python_outside_of_its_bindings():
    sources = sorted(file for pattern in ("*.cpp", "*.hpp") for file in (ROOT / "csrc").rglob(pattern))
    assert sources
    wrong = {file.name for file in sources if _reaches_python(ROOT / "csrc", file)}
    assert {name for name in wrong if not name.startswith("bindings")} == set()


def test_python_behind_another_include_is_found(tmp_path):
    (tmp_path / "judge.cpp").write_text('#include "judge.hpp"\n')
    (tmp_path / "judge.hpp").write_text('  #  include "bindings.hpp"\n')
    (tmp_path / "bindings.hpp").write_text("#include <vector>\n")
    assert not _reaches_python(tmp_path, tmp_path / "judge.cpp")
    (tmp_path / "bindings.hpp").write_text("#include <pybind11/numpy.h>\n")
    assert _reaches_python(tmp_path, tmp_path / "judge.cpp")


def _reaches_python(folder: Path, file: Path) -> bool:
    return any(name == "Python.h" or "pybind11" in name for name in reached(folder, file))


def test_every_name_in_all_exists():
    for file in files(*HOUSES):
        if of_torch(file):
            continue  # tests/models imports these
        for node in tree(file).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
                parts = file.relative_to(ROOT).with_suffix("").parts
                module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
                for name in module.__all__:
                    assert hasattr(module, name), (
                        f"{module.__name__}.__all__ names {name!r}, which does not exist"
                    )


def test_every_folder_of_python_is_a_package():
    missing = {
        str(file.parent) for file in files(*PYTHON_FOLDERS) if not (file.parent / "__init__.py").is_file()
    }
    assert not missing, missing


def test_every_package_is_listed_for_the_wheel():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    present = {".".join(file.parent.relative_to(ROOT).parts) for file in files(*HOUSES)}
    assert set(listed) == present


@pytest.mark.parametrize("kind", [registry.TASKS, registry.BACKENDS, POLICIES], ids=lambda kind: kind.kind)
def test_registered_names_import(kind):
    assert kind.names()
    for name in kind.names():
        loaded = kind.load(name)
        assert kind is POLICIES or loaded.name == name
