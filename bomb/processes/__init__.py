"""Processes of our own: pools that end cleanly, and no orphans."""
