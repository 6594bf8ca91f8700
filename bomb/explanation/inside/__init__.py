"""What needs the inside of a model, and with it torch: scores, hidden words, activations."""
