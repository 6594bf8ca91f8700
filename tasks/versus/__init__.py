"""What games against an opponent have in common: rows of stones to be completed."""
