"""A simulated farm: real Modbus TCP servers with feeders that live; the demo's site and the tests' oracle."""
