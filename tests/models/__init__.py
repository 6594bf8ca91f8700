"""Tests of models, in an environment with the extra [vla]; one process, one thread of torch."""
