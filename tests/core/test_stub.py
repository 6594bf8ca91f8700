"""The stubs have what there is: the compiled checker's names, members and arguments; public names."""

import ast
import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

import core
from core import _checker
from core.judge.checker import Tolerances
from scripts.write_stubs import PACKAGES, ROOT, homes

STUB = ast.parse((Path(core.__file__).parent / "_checker.pyi").read_text())
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
INHERITED = set(dir(object)) | {"__module__", "__hash__", "__doc__"}


def written_members(name: str) -> set[str]:
    return {node.name for node in CLASSES[name].body if isinstance(node, ast.FunctionDef)}


def test_every_name_and_no_other_is_in_the_stub():
    written = {node.target.id for node in STUB.body if isinstance(node, ast.AnnAssign)}
    written |= {node.name for node in STUB.body if isinstance(node, ast.FunctionDef)}
    written |= {name for name in CLASSES if not name.startswith("_")}
    assert written == {name for name in dir(_checker) if not name.startswith("_")}


def test_every_member_of_a_class_is_in_the_stub():
    for name in (name for name in CLASSES if not name.startswith("_")):
        real = {member for member in vars(getattr(_checker, name)) if not member.startswith("_pybind11")}
        assert written_members(name) - INHERITED == real - INHERITED, name


def test_arguments_have_the_same_names_and_defaults():
    for name in (name for name in CLASSES if not name.startswith("_")):
        for node in CLASSES[name].body:
            if (
                not isinstance(node, ast.FunctionDef)
                or node.decorator_list
                or node.name in ("__eq__", "__repr__")
            ):
                continue
            said = getattr(getattr(_checker, name), node.name).__doc__.splitlines()[0]
            real = re.findall(r"(\w+): [^,=]*?(?: = ([^,]+))?(?=, |\) ->)", said.partition("(")[2])
            by_keyword = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            arguments = [(argument.arg, "") for argument in node.args.args]
            arguments += [
                (argument.arg, ast.unparse(value) if value else "") for argument, value in by_keyword
            ]
            assert arguments == real, f"{name}.{node.name}"
            assert ("*, " in said) == bool(node.args.kwonlyargs), f"{name}.{node.name}"


def test_the_tolerances_that_it_reads_are_those_that_there_are():
    assert written_members("_Tolerances") == {field.name for field in fields(Tolerances)}


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_have_types(package):
    """``python -m scripts.write_stubs`` writes these."""
    stub = ast.parse((ROOT / package / "__init__.pyi").read_text())
    imported = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    assert {alias.asname: node.module for node in imported for alias in node.names} == homes(package)
    assert homes(package).keys() == set(import_module(package).__all__)
