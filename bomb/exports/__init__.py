"""Demonstrations in the formats that trainers read."""
