"""Frames side by side, films, galleries, and points of the world in a picture."""
