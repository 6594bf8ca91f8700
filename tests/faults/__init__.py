"""Every n-th write, flush and rename fails once."""
