"""Other people's protocols and harnesses."""
