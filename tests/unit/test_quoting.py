"""What errors show of a text that may have a password."""

import pytest

from magnum_lite.driver_sdk.quoting import quoted
from magnum_lite.exceptions import Invalid

PASSWORDS = {
    'http://ann:s3cret@192.0.2.7': 'http://***@192.0.2.7',
    'http://ann:s3@cret@h:1': 'http://***@h:1',
    'http://ann:s3cret%40h:1': 'http://***',
    'http://ann:s3cret%2540h:1': 'http://***',
    'http://ann:s3cret': 'http://***',
    'http://s3cret#@h': 'http://***@h',
    'https://h/x?token=s3cret': 'https://***',
    ' HTTP://ann:s3cret%40h': ' HTTP://***',
    'ann:s3cret@h:1': '***@h:1',
    'ann:s3cret%40h:1': '***',
}


@pytest.mark.parametrize(('text', 'shown'), PASSWORDS.items())
def test_no_password_is_quoted_however_its_url_is_broken(text, shown):
    assert quoted(text) == f'"{shown}"'


@pytest.mark.parametrize(
    'text',
    [
        'http://h:3128',
        'ftp://192.0.2.7/a/b',
        'https://[fd00::1]:3128/',
        '10.0.0.0/8',
        'example.org,.internal',
        'https://h:99999',
    ],
)
def test_what_has_none_is_quoted_as_it_is(text):
    assert quoted(text) == f'"{text}"'


def test_the_service_quotes_no_password_either():
    error = Invalid(path='http_proxy', reason='less is expected', value='http://ann:s3cret%40h:1')
    assert str(error).endswith('not "http://***"')
    assert str(Invalid(path='name', reason='no', value='a@b')).endswith('not "a@b"')
