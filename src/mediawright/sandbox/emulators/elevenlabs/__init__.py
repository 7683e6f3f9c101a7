"""The ElevenLabs API: speech, transcripts, sound effects and music, all answered at once."""
