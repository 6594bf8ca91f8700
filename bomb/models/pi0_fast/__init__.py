"""pi0-FAST: a PaliGemma that says actions as FAST tokens, one after the other."""
