"""Wire protocol v1: topics, messages, lifecycle, descriptions, errors.

Pure by contract: no socket, thread, clock, environment variable or file is touched in this package. Time and
randomness are arguments. Agent, gateway and facade all depend on it; it depends on none of them.
"""
