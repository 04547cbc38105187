"""This file states the version, once; the package metadata and `nightbell --version` read it here."""

__version__ = "0.1.0"
