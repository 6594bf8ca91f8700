"""Scripts that run in the environments of other projects; none of them imports BOMB."""
