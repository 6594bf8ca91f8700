"""vla-evaluation-harness, both ways: BOMB as a benchmark of its, and its model servers as policies of ours.

``BombBenchmark`` is what its YAML files name, ``bomb.integrations.vla_eval:BombBenchmark``. It is made of
their classes, so it is imported on first use, and only then is the extra ``[vla-eval]`` needed.
"""

from typing import Any

from core.errors import missing_extra


def __getattr__(name: str) -> Any:
    if name != "BombBenchmark":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import vla_eval  # noqa: F401 -- asked for by itself, so that no other missing module is blamed on it
    except ImportError as error:
        raise missing_extra("BombBenchmark", "vla-eval") from error
    from bomb.integrations.vla_eval.benchmark import BombBenchmark

    return BombBenchmark
