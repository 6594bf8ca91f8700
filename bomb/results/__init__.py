"""The table of results: what stored runs say of policies, kept in one file and written into one page."""
