"""What a node's shell reads back is what the driver was given."""

import subprocess

import pytest

from magnum_lite.driver_sdk import envfile

HOSTILE = {
    'QUOTES': """it's "quoted" and 'quoted'""",
    'COMMAND': '$(touch /tmp/executed) `touch /tmp/executed` ${HOME} $HOME',
    'LINES': 'one\ntwo\r\n\tthree\n',
    'BACKSLASH': 'a\\nb\\\\',
    'BOTH': "\\'\n$(id)",
    'LETTERS': 'Zürich \u2028 \U0001f600 \x07face',
    'EMPTY': '',
    'END': "';exit 1;'",
}


def read_back(text, names):
    script = 'set -eu; . /dev/stdin; ' + '; '.join(f'printf "%s\\0" "${name}"' for name in names)
    done = subprocess.run(
        ['bash', '-c', script], input=text.encode(), capture_output=True, check=True
    )
    assert not done.stderr
    return done.stdout.decode().split('\0')[:-1]


def test_bash_reads_back_hostile_text_and_runs_nothing():
    assert read_back(envfile.render(HOSTILE), HOSTILE) == list(HOSTILE.values())


def test_numbers_booleans_and_none_become_text():
    values = {'A': 3, 'B': True, 'C': False, 'D': None}
    assert envfile.render(values) == "A='3'\nB='true'\nC='false'\nD=''\n"


def test_each_value_is_one_line_of_printable_ascii():
    text = envfile.render(HOSTILE)
    assert text.isascii()
    assert all(line.isprintable() for line in text.split('\n'))
    assert text.count('\n') == len(HOSTILE)


@pytest.mark.parametrize('name', ['', '1A', 'A-B', 'A B', 'A=B', 'A\n', 'Ä'])
def test_a_name_that_is_no_shell_name_is_refused(name):
    with pytest.raises(ValueError, match='name of a shell variable'):
        envfile.render({name: 'x'})


def test_a_nul_is_refused():
    with pytest.raises(ValueError, match='NUL'):
        envfile.quote('a\0b')
