"""BOMB as strangers use it, each in an environment of its own; run by `make test-interop`."""
