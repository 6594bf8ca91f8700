"""SmolVLA: a small VLM that reads, and an expert that makes actions by flow matching."""
