"""OpenVLA-OFT (Kim, Finn, Liang 2025, arXiv:2502.19645): OpenVLA's network, a whole chunk in one pass."""
