"""Why a policy acts as it does: what is taken from it, and what then changes, bound to the truth."""
