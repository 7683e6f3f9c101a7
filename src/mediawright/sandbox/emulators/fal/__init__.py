"""fal: models behind a queue, and their files."""
