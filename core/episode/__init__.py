"""What an episode tells, logs and leaves behind."""
