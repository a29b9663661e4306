"""Links of documents."""


def links(base: str, *path: str) -> list[dict[str, str]]:
    """``self`` and ``bookmark`` of what is at ``path`` below the version."""
    rest = '/'.join(path)
    return [
        {'href': f'{base}/v1/{rest}', 'rel': 'self'},
        {'href': f'{base}/{rest}', 'rel': 'bookmark'},
    ]
