"""Tests of explanations that need torch; run by tests/interop/test_models.py."""
