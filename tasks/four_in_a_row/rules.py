"""Four in a row on all 5 x 5 intersections: ``mnk`` of open_spiel, black first, rows in eight directions."""

from tasks.versus.rules import LineGame

GAME = LineGame(name="mnk(m=5,n=5,k=4)", size=5)
