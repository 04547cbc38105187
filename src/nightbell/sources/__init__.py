"""Bytes from outside become Signals: one file per sender, pure."""
