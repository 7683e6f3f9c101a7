"""Use-cases and the composition root: the only place that picks implementations."""
