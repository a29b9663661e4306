"""Texts that must not be read in the database."""
