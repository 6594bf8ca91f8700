"""Scripts that `tests/interop/test_pi0.py` runs in an environment with torch and transformers."""
