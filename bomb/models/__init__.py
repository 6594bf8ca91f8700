"""Policies made of neural networks."""
