"""Sealed site files: what an engineer signed, away from the site, is what an agent takes over, and nothing else."""
