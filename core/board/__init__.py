"""The board as a game sees it: cells, goals, and where stones lie."""
