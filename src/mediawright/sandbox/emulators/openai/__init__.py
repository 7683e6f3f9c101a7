"""OpenAI: images, speech and transcription."""
