"""The auditor: asks the tables whether the promises hold, by its own questions and its own connection."""
