"""Set up a pattern of stones."""

from tasks.copy_pattern.task import CopyPattern

__all__ = ["CopyPattern"]
