"""Nightbell: on-call for teams that run Prometheus."""
