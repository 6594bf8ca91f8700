"""Files written whole, locks, and what differs between two sets of settings."""
