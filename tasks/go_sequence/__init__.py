"""Moves of 5 x 5 Go, captures included."""

from tasks.go_sequence.task import GoSequence

__all__ = ["GoSequence"]
