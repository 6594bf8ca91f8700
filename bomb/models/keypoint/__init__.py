"""The policy ``keypoint``: key points of pictures, slots of words, a hand on both; numpy alone plays it."""
