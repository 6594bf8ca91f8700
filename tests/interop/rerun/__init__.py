"""Programs that run in the environment with rerun-sdk."""
