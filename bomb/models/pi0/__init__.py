"""pi0 through transformers: ``PI0ForConditionalGeneration`` as a policy, and a trainer for small ones.

A checkpoint is a folder that ``from_pretrained`` reads (weights, configuration, tokenizer, image processor,
statistics), with ``bomb.json`` beside it, which says what BOMB has to show it and what its numbers mean.
"""
