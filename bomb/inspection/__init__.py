"""A dataset looked at: counts, coverage, histograms, duplicates, anomalies; as a page."""
