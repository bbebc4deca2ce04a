"""The HTTP facade: what a web client asks becomes a command on the broker, and the truth about it an answer.

``dispatch`` holds the one order of a command; ``resources`` translate between HTTP and it; ``services`` composes
the parts of one process. It publishes only while the gate is open, and answers a refusal only when nothing was and
nothing will be published (I5).
"""
