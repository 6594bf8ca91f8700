"""Exit statuses of our programs."""

USAGE_ERROR = 2
INTERRUPTED = 130  # as shells report a program that Ctrl-C ended: 128 and the number of the signal
