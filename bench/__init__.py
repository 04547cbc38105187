"""Measures Nightbell on its real path: HTTP, secret, decode, decide, commit with fsync, 200."""
