"""Demonstrations: collected by the expert, kept as states, rendered when pictures are wanted."""
