"""A Message goes out to the world: one file per kind of delivery."""
