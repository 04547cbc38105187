"""The loop that runs the engine until told to stop."""
