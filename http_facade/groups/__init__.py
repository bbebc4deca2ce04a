"""Command groups: one write or action for many devices, first previewed, then run at a rate.

``preview`` says what would happen, ``run`` carries one group out, ``store`` holds both in the database, and ``groups``
composes them. Each target becomes one ordinary command; a group adds no way around any check.
"""
