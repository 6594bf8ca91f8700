"""What a policy sees, and the drivers that draw it."""
