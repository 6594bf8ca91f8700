"""RoboVLMs (Li et al. 2024, arXiv:2412.14058): four ways to make a VLA of a VLM.

============================  ==========================================================================
``one_step_discrete``         the present moment; numbers of an action as words of the VLM
``one_step_continuous``       the present moment; a learned token's hidden state, an MLP
``interleaved``               several moments in one sequence, read causally; an MLP on the last one's token
``policy_head``               several moments, each by itself; an LSTM or a small GPT-2 over their tokens
============================  ==========================================================================

Earlier moments come with a request; what is learned is the present moment's chunk.
"""
