"""mediawright: one gateway for generated media."""
