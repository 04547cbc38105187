"""The Rootly-compatible JSON:API under /v1."""
