"""``tidegate doctor``: what is wrong on this machine, in plain words, and what to type."""
