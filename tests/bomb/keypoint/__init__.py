"""The policy ``keypoint``, without torch."""
