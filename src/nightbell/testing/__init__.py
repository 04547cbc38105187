"""Shipped test tools: scenario language, phones, a clock that stands still."""
