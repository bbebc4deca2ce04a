"""The whole system on one machine: for the demo, and for the tests that need the real programs."""
