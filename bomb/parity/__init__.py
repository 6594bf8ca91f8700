"""How far two simulators agree, measured: what ``bomb parity`` does. docs/parity.md explains every row."""
