"""Still pictures: procedural scenes read out of a prompt, and repaints of given pictures."""
