"""Processes that play jobs, and processes that hold a policy for them."""
