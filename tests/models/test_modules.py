"""Every module of `bomb.models` can be imported, and what policies and commands import needs no torch."""

import importlib
import pkgutil
import subprocess
import sys

import bomb.models
from bomb.models.registry import BACKBONES, CODECS, FAMILIES, HEADS


def test_every_module_imports_and_has_what_it_names():
    for entry in pkgutil.walk_packages(bomb.models.__path__, "bomb.models."):
        module = importlib.import_module(entry.name)
        assert module.__doc__
        for name in getattr(module, "__all__", ()):
            assert hasattr(module, name), f"{entry.name} has no {name}"


def test_registered_names_import():
    for registry in (FAMILIES, BACKBONES):
        for name in registry.names():
            assert registry.load(name) is not None
    for module in (*CODECS.values(), *HEADS.values()):
        assert importlib.import_module(module).__doc__


def test_what_policies_and_commands_import_needs_no_torch():
    names = "bomb.models.policy, bomb.models.registry, bomb.models.settings"
    code = f"import sys, {names}; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
