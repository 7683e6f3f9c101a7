"""Transcripts, through pocketsphinx and the English model in its wheel."""
