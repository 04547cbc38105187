"""SQL and rows; knows no rule of the domain."""
