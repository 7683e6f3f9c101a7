"""One trace per generation: timed spans, stored beside it."""
