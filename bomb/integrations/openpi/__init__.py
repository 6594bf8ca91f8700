"""Policies behind an openpi websocket server, and a server for BOMB's own: client, server, codec, mappings.

The protocol is that of openpi-client 0.1.2 and of openpi's ``serving/websocket_policy_server.py``.
``docs/policies.md`` says what goes over the wire.
"""
