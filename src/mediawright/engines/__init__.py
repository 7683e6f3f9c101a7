"""Embedded engines: real media without keys, weights or a network.

They are procedural, for trying and testing, and say so. Each is seeded: the same request
makes the same file.
"""
