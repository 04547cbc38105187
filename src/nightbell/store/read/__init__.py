"""Statements that only read, for the API and the pages."""
