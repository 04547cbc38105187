"""Mutation testing of what decides who is on call and who is paged: `python -m mutation` from `tests/`."""
