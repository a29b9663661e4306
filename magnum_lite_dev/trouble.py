"""The one error that the commands expect."""


class Trouble(Exception):
    """Something a person can put right; the text says what and how."""
