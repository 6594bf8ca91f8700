"""Where the jobs of a run are played: here, or on a Ray cluster."""
