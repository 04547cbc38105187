"""A real PostgreSQL for the tests: one server a worker, a template migrated once, a database for each test."""

from nightbell.testing.databases import HASTY, TEMPLATE, Cluster, open_cluster

__all__ = ["HASTY", "TEMPLATE", "Cluster", "open_cluster"]
