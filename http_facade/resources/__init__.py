"""One module per HTTP resource: parse, call, render; nothing else."""
