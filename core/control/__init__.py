"""From an action to joint targets."""
