"""Clips: the painter's scenes and given pictures, set in motion."""
