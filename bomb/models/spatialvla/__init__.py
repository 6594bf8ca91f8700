"""SpatialVLA (Qu et al. 2025, arXiv:2501.15830): SigLIP, 3-D positions, Gemma 2, adaptive action grids."""
