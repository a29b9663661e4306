"""The contract kit finds what is wrong with the scripts and the user data of a driver."""

import re
import textwrap

import pytest

from magnum_lite.driver_sdk.testing.cloud_rules import user_data_problem
from magnum_lite.driver_sdk.testing.script_rules import cloud_config_problems
from tests.unit.minimal import TEMPLATE, broken, fails, rules


@pytest.mark.parametrize(
    ('text', 'rule'),
    [
        ('#!/bin/bash\necho on\n', 'say_their_shell_and_stop_at_errors'),
        ('set -euo pipefail\n', 'say_their_shell_and_stop_at_errors'),
        ('#!/bin/bash\nset -euo pipefail\nif true\n', 'are_bash'),
        ('#!/bin/bash\nset -euo pipefail\nrm $1\n', 'pass_shellcheck'),
        ('#!/bin/bash\nset -euo pipefail\necho "{{ name }}"\n', 'hold_no_placeholder'),
    ],
)
def test_d10_finds_a_script_that_is_not_plain(package, text, rule):
    package('boot.sh', text)
    fails(getattr(rules(broken())[0], f'test_d10_scripts_{rule}'))


def test_d10_finds_a_script_that_a_template_fills_in(package):
    package('boot.sh', '#!/bin/bash\nset -euo pipefail\necho NAME\n')
    filled = TEMPLATE.replace(
        '{value: x}',
        textwrap.dedent("""\
        {value: {str_replace: {template: {get_file: boot.sh}, params: {NAME: x}}}}"""),
    )
    fails(rules(broken(template=filled))[0].test_d10_scripts_hold_no_placeholder, match='NAME')


@pytest.mark.parametrize(
    ('text', 'problem'),
    [
        ('runcmd: []\n', 'first line'),
        ('#cloud-config\n[x\n', 'no YAML'),
        ('#cloud-config\n- x\n', 'no mapping'),
        ('#cloud-config\nwrite_file: []\n', 'write_file: unknown'),
        ('#cloud-config\nruncmd: x\n', 'wrong type'),
        ('#cloud-config\nruncmd: [[false, x]]\n', 'False is no text'),
        ('#cloud-config\nwrite_files: [{contents: x, path: /x}]\n', 'contents: unknown'),
        ('#cloud-config\nwrite_files: [{content: x, path: x}]\n', 'no absolute path'),
        ('#cloud-config\nwrite_files: [x]\n', 'no mapping'),
    ],
)
def test_d11_finds_what_cloud_init_would_drop(text, problem):
    assert any(problem in found for found in cloud_config_problems(text))


@pytest.mark.usefixtures('package')
def test_a_driver_without_scripts_passes_shellcheck(monkeypatch):
    kit, _ = rules(broken())
    monkeypatch.setattr(type(kit), 'scripts', lambda self: {})
    kit.test_d10_scripts_pass_shellcheck()


HEATS_OWN = """Content-Type: multipart/mixed; boundary="=="
MIME-Version: 1.0

--==
Content-Type: text/x-shellscript; charset="us-ascii"
MIME-Version: 1.0

#!/usr/bin/env python3
import loguserdata
--==--
"""


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        (HEATS_OWN, '"user_data_format: RAW"'),
        ('#cloud-config\n# \u00fc', 'not ASCII'),
        ('#' * 60_000, 'has 60000 bytes'),
        ('#cloud-config\n', '^$'),
    ],
)
def test_user_data_that_is_refused_is_explained(text, said):
    assert re.search(said, user_data_problem(text, {'#!/bin/bash\n'}))
