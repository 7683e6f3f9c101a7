"""Files: where they lie, what they are, and their smaller renditions."""
