"""Processes of our own, which are started here and nowhere else: pools that end cleanly, and no orphans."""
