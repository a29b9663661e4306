"""The programs of the service."""
