"""What makes actions out of hidden states."""
