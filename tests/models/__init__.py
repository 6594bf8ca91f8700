"""Tests of models; in an environment with the extra [vla], in one process: see scripts/test_models.sh."""
