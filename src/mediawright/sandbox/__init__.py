"""Imitations of vendors' APIs that answer on this machine, with real media and no keys."""
