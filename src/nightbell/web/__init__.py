"""Server-rendered pages, and the routes that outside systems call."""
