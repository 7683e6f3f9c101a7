"""The embedded engines as a provider."""
