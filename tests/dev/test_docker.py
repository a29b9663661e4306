"""The docker command of a tenant: with the variables of its cluster, and no others."""

import os

import pytest

from magnum_lite_dev.docker import Docker, settings
from magnum_lite_dev.trouble import Trouble


@pytest.mark.parametrize('form', ['export {}={}', 'setenv {} {}'])
def test_docker_gets_the_variables_that_the_command_line_prints(form, tmp_path, monkeypatch):
    wanted = {
        'DOCKER_HOST': 'tcp://192.0.2.7:2376',
        'DOCKER_CERT_PATH': '/tmp/a b',
        'DOCKER_TLS_VERIFY': 'True',
    }
    told = settings(''.join(form.format(*pair) + '\n' for pair in wanted.items()) + '\n')
    assert told == wanted
    program = tmp_path / 'docker'
    program.write_text('#!/bin/sh\nenv | grep ^DOCKER_ | sort\nexit 3\n')
    program.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}:{os.environ["PATH"]}')
    monkeypatch.setenv('DOCKER_CONTEXT', 'another')
    status, output = Docker(told).run('node', 'ls')
    assert (status, output) == (3, ''.join(f'{k}={v}\n' for k, v in sorted(wanted.items())))
    with pytest.raises(Trouble, match='docker node ls ended with status 3'):
        Docker(told).ask('node', 'ls')


def test_an_engine_without_an_address_is_refused():
    with pytest.raises(Trouble, match='names no engine'):
        settings('export DOCKER_HOST=None\nexport DOCKER_TLS_VERIFY=True\n')
