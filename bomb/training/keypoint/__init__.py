"""How the policy ``keypoint`` is trained: pictures with exact key points, words, the hand."""
