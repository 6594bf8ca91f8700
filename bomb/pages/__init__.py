"""Pages of HTML and the drawings on them."""
