"""pi0 and pi0.5: a PaliGemma that reads, an expert that makes actions by flow matching."""
