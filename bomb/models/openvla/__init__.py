"""OpenVLA (Kim et al. 2024, arXiv:2406.09246): two vision towers, Llama, and one token per number."""
