"""Exit statuses of our programs."""

USAGE_ERROR = 2
CANNOT_WRITE = 3  # a full disk, a read-only folder, another writer: the same command resumes afterwards
UNGUARDED = 79  # a process that was to help found that the program starts such processes when it is read
INTERRUPTED = 130  # as shells report a program that Ctrl-C ended: 128 and the number of the signal
