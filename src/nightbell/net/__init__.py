"""Outgoing HTTP, with time-outs and no way into private networks unless allowed."""
