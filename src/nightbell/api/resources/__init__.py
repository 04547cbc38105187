"""One file per resource, each declared once."""
