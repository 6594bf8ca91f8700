"""Sentences that say a goal, and the styles they come in."""
