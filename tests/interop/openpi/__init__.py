"""Programs that run in an environment with openpi-client and without BOMB; see test_openpi_client.py."""
