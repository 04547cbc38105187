"""Statements that change rows. Only `engine` may import this package."""
