"""Vision-language models of transformers as backbones: an adapter a file, see ``base.Backbone``."""
