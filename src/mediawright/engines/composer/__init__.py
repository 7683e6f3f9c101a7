"""Tonal music and ambience from words: seeded, synthesised with numpy."""
