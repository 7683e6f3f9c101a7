"""Credits: holds, captures and releases, once each per generation."""
