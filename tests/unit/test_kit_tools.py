"""What the rules of the contract kit look with."""

import pytest

from magnum_lite.driver_sdk.testing import purity
from magnum_lite.driver_sdk.testing.template import Template, parts, written


def test_user_data_is_read_in_any_shape():
    config = '#cloud-config\nwrite_files: [{path: /a, content: x}]\n'
    assert written(config) == {'/a': 'x'}
    assert parts('#!/bin/bash\n') == [('text/x-shellscript', '#!/bin/bash\n')]
    mime = (
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/cloud-config'
        f'\n\n{config}\n--b--\n'
    )
    assert written(mime) == {'/a': 'x'}


def test_placeholders_are_found_by_the_file_they_are_in():
    template = Template.parse(
        'a: {str_replace: {template: {get_file: f}, params: {"\\n": x, $n: y}}}\n'
        'b: {str_replace: {template: {get_param: p}, params: {$m: y}}}\n'
    )
    assert template.replaced == {'f': {'$n'}}
    assert template.included == {'f'}


def test_the_guard_lets_reading_pass_and_nothing_else(tmp_path):
    file = tmp_path / 'x'
    file.write_text('x')
    with purity.guard():
        assert file.read_text() == 'x'
        with pytest.raises(AssertionError, match='not pure'):
            file.write_text('y')
    file.write_text('z')
