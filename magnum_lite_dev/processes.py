"""Processes that outlive the one that started them: pid files, logs, orderly ends."""
import pathlib


def tail(path, lines):
    """The last lines of a text file, '' when it is not there."""
    try:
        text = pathlib.Path(path).read_text(errors='replace')
    except OSError:
        return ''
    return '\n'.join(text.splitlines()[-lines:])
