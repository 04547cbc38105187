"""One file for each noun: its handlers, and what they put together for the templates."""
