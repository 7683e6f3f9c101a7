"""Real speech, through flite or espeak-ng."""
