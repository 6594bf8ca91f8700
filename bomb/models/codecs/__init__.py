"""Actions in BOMB's terms to what a model predicts, and back; numpy alone, no torch."""
