"""The generation's state machine: its steps, driven by our own rows, and the durable engine."""
