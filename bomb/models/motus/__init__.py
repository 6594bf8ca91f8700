"""Motus (Bi et al. 2025, arXiv:2512.13030): experts of video, action and understanding in one attention."""
