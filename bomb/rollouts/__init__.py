"""A policy plays an environment: one episode, chunks of actions, several environments at once."""
