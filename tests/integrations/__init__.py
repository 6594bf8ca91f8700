"""What integrations do without the packages that they are for."""
