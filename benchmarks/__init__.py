"""How fast Tidegate is, as ratios against its raw parts, measured in the same run."""
