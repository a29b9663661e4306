"""What the rules of the contract kit look with."""

import pytest

from magnum_lite.driver_sdk.testing import example, golden, purity
from magnum_lite.driver_sdk.testing.fake import FailingHeat, Killed
from magnum_lite.driver_sdk.testing.template import Template, parts, written
from tests.unit.minimal import broken


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


def test_a_call_fails_once_before_or_after_it_takes_effect():
    class Heat:
        def __init__(self):
            self.deleted = []

        def delete(self, stack):
            self.deleted.append(stack)

        def list(self, tag):
            return []

    for after in (False, True):
        real = Heat()
        heat = FailingHeat(real, at=2, after=after)
        heat.list('not counted')
        heat.delete('a')
        with pytest.raises(Killed):
            heat.delete('b')
        heat.delete('c')
        assert real.deleted == (['a', 'b', 'c'] if after else ['a', 'c'])
        assert [call.changes for call in heat.calls] == [False, True, True, True]


def test_a_golden_file_is_compared_and_rewritten_on_demand(tmp_path):
    path = tmp_path / 'golden' / 'x.json'
    with pytest.raises(AssertionError, match='is missing'):
        golden.check(path, {'a': 1}, update=False)
    golden.check(path, {'a': 1}, update=True)
    golden.check(path, {'a': 1}, update=False)
    with pytest.raises(AssertionError, match='differs'):
        golden.check(path, {'a': 2}, update=False)


def test_a_readable_plan_names_files_and_splits_lines():
    driver = broken(extra={'size': 'a\nb'})()
    spec = example.spec(driver)
    (stack,) = golden.readable(driver.plan(spec))['parts']
    assert stack['template'] == 'heat_template_version: wallaby'
    assert stack['parameters']['size'] == ['a', 'b']
    assert stack['parameters']['token'] == {'secret': 'secret/join'}
