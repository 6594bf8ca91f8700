"""The family ``small``: from pictures of head and wrist and words to a chunk of actions, in one network."""
