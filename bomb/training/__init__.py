"""Training VLAs from BOMB's demonstrations by recipes; see docs/training.md."""
