"""What ``bomb models`` does."""
