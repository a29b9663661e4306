"""Proxies and exceptions from them that some reader on a node would not understand."""

import pytest

from magnum_lite.driver_sdk import Rejected, proxies

REFUSED = {
    'http_proxy': (
        'proxy.example.org:3128',
        'socks5://192.0.2.3',
        'http://',
        'http://:3128',
        'http://a b',
        'http://pröxy.example',
        'http://a/?x',
        'http://u:p%zz@a',
        'http://u:50%@a',
        'http://u:%0A@a',
        'http://u:p/w@a',
        'http://u:p#w@a',
        'http://a:0',
        'http://a:65536',
        'http://[fd00::x]:1',
        'http://fd00::5:3128',
        'http://a"b',
        'http://a\n',
        'http://u:p\\@a',
    ),
    'no_proxy': (
        'a, b',
        'a b',
        '10.0.0.0/40',
        '10.0.0.*',
        'a*b',
        '10.0.0.0/8x',
        'http://a',
        '[fd00::5]',
        'exämple.org',
        'a"b',
        '.',
        'a\n',
    ),
}


@pytest.mark.parametrize(('name', 'text'), [(n, t) for n, ts in REFUSED.items() for t in ts])
def test_what_some_reader_would_not_understand_is_refused(driver, make_spec, name, text):
    for path in (name, 'https_proxy') if name == 'http_proxy' else (name,):
        with pytest.raises(Rejected) as refusal:
            driver.validate(make_spec(**{path: text}))
        assert refusal.value.path == path and 'such as' in refusal.value.reason


def test_a_refused_proxy_of_an_old_cluster_stays_what_it_was():
    assert proxies.url('socks5://u:p@192.0.2.3') == 'socks5://u:p@192.0.2.3'
