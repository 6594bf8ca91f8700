"""Who measures, judges a move, and follows the course of an episode."""
