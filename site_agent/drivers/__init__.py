"""Drivers: one small port to a PLC, and an adapter per protocol."""
