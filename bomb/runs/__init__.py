"""What a run is on disk: its store, its rows, and what can be made of them later."""
