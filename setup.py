"""Builds the compiled checker (csrc/) as the extension module core._checker."""

import os
from pathlib import Path

from pybind11.setup_helpers import Pybind11Extension, build_ext
from setuptools import setup

# No -march and no -ffast-math: a verdict must not depend on the machine it was computed on.
# -ffp-contract=off keeps compilers from fusing multiply-adds, for the same reason.
compile_args = ["-O3", "-ffp-contract=off", "-Wall", "-Wextra"]
link_args = []
if os.environ.get("BOMB_SANITIZE"):
    sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    compile_args += [*sanitize, "-O1", "-g", "-fno-omit-frame-pointer"]
    link_args += sanitize

setup(
    ext_modules=[
        Pybind11Extension(
            "core._checker",
            sources=sorted(str(path) for path in Path("csrc").glob("*.cpp")),
            depends=sorted(str(path) for path in Path("csrc").glob("*.hpp")),
            cxx_std=17,
            extra_compile_args=compile_args,
            extra_link_args=link_args,
        )
    ],
    cmdclass={"build_ext": build_ext},
)
