"""Scripts that `tests/interop/test_vla_eval.py` runs in an environment with vla-eval."""
