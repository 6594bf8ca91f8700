"""Training, in the environment of the extra ``vla``; run with tests/models in one process."""
