"""What import-linter cannot say: sizes, globals, docstrings, scripts, dependencies."""

import ast
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests.sources import ROOT, imports, nodes, normal, own_lines, requirements, sources

SERVICE = ROOT / 'magnum_lite'
MOST_LINES = 300
MOST_FUNCTION_LINES = 40

# Where anything may go wrong and must still become an answer, a journal entry or a log line.
CATCH_ALL = {
    'magnum_lite/api/faults.py',
    'magnum_lite/conductor/call.py',
    'magnum_lite/conductor/notifier.py',
    'magnum_lite/threads.py',
}
# Imported by others on our behalf: the database drivers by SQLAlchemy and the like.
NEEDED_BY_NAME = set()
# Unfinished work; spelled apart so that this file does not find itself.
UNFINISHED = re.compile(
    r'\b(TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b|NOTE' r'\(|NotImplemented' r'Error|xf' r'ail'
)
PLACEHOLDER = re.compile(r'\{\{\s*\w|\{%|%\(\w+\)s|@[A-Z_]{2,}@|__[A-Z][A-Z_]+__')
SOURCED = '# shellcheck shell=bash\n'
STRICT = re.compile(r'^set -E?euo? ?(-o )?pipefail$', re.MULTILINE)


def test_only_entry_points_touch_the_global_configuration():
    allowed = ('magnum_lite/conf/', 'magnum_lite/api/wsgi.py', 'magnum_lite/cmd/')
    found = {
        name
        for name, node in nodes(sources('magnum_lite', 'drivers'))
        if isinstance(node, ast.Attribute)
        and node.attr == 'CONF'
        or isinstance(node, ast.alias)
        and node.name == 'CONF'
    }
    assert sorted(name for name in found if not name.startswith(allowed)) == []


def test_no_module_rebinds_a_global():
    found = [(name, node.lineno) for name, node in nodes(sources()) if isinstance(node, ast.Global)]
    assert found == []


def test_no_module_is_longer_than_a_reader_can_hold():
    # Migrations stay as they were when they shipped, however long.
    paths = sources('magnum_lite', 'magnum_lite_dev', 'drivers', 'tests', 'tools', 'benchmarks')
    lengths = {path.relative_to(ROOT).as_posix(): path.read_text().count('\n') for path in paths}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_function_is_longer_than_a_screen():
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [
        (name, node.name, own_lines(node))
        for name, node in nodes(sources())
        if isinstance(node, functions) and own_lines(node) > MOST_FUNCTION_LINES
    ]
    assert found == []


def test_what_is_public_says_what_it_gives():
    documented = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    silent = []
    for path in sources('magnum_lite', 'magnum_lite_dev'):
        name = path.relative_to(ROOT).as_posix()
        module = ast.parse(path.read_text(), name)
        if module.body and ast.get_docstring(module) is None:
            silent.append(name)
        public = [n for n in module.body if isinstance(n, documented) and n.name[0] != '_']
        # A driver's author reads the methods of the SDK as well.
        if 'driver_sdk' in path.parts and 'testing' not in path.parts:
            classes = [n for n in public if isinstance(n, ast.ClassDef)]
            public += [
                n for c in classes for n in c.body if isinstance(n, documented) and n.name[0] != '_'
            ]
        silent += [f'{name}: {n.name}' for n in public if ast.get_docstring(n) is None]
    assert silent == []


def test_nothing_is_left_for_later():
    found = [
        (path.relative_to(ROOT).as_posix(), number)
        for path in sources('magnum_lite', 'magnum_lite_dev', 'drivers', 'alembic', 'tests')
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert found == []


def test_errors_are_caught_by_class():
    found = set()
    for name, node in nodes(sources()):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {getattr(kind, 'id', None) for kind in kinds}
            passed_on = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            broad = node.type is None or names & {'Exception', 'BaseException'}
            if broad and not passed_on:
                found.add((name, node.lineno))
    assert sorted(place for place in found if place[0] not in CATCH_ALL) == []


def test_every_thread_is_supervised():
    """One that ends by an error ends in silence; pools give the error to whoever asked for it."""
    found = [
        (name, node.lineno)
        for name, node in nodes(sources('magnum_lite'))
        if isinstance(node, ast.Attribute)
        and node.attr in ('Thread', 'Timer')
        or isinstance(node, ast.alias)
        and node.name in ('Thread', 'Timer')
    ]
    assert [place for place in found if place[0] != 'magnum_lite/threads.py'] == []


def test_nothing_but_tests_imports_tests():
    """What tools and benchmarks run too stands in ``magnum_lite_dev.rig``."""
    places = sources('magnum_lite', 'magnum_lite_dev', 'drivers', 'tools', 'benchmarks', 'alembic')
    outside = [path for path in places if 'tests' not in path.relative_to(ROOT).parts]
    assert sorted(name for name, package in imports(outside) if package == 'tests') == []


def test_the_migrations_folder_does_not_shadow_alembic():
    assert not (ROOT / 'alembic' / '__init__.py').exists()
    assert (SERVICE / 'migrations').resolve() == ROOT / 'alembic'


def test_migrations_stand_alone():
    steps = sorted((ROOT / 'alembic' / 'versions').glob('*.py'))
    assert steps
    assert {package for _, package in imports(steps)} <= {'alembic', 'sqlalchemy'}


@pytest.mark.parametrize('process', ['api.app', 'cmd.conductor', 'cmd.manage', 'cmd.status'])
def test_nothing_is_monkey_patched(process):
    program = (
        f'import sys, magnum_lite.{process}\n'
        'patcher = sys.modules.get("eventlet.patcher")\n'
        'assert not (patcher and patcher.already_patched), patcher.already_patched\n'
    )
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_script_is_strict_and_constant():
    loose, variable = [], []
    folders = (ROOT / 'drivers', ROOT / 'magnum_lite')
    for path in sorted(path for folder in folders for path in folder.rglob('*.sh')):
        name, text = path.relative_to(ROOT).as_posix(), path.read_text()
        # A file that others source runs under their options.
        program = text.startswith('#!/bin/bash\n') and STRICT.search(text)
        if not program and not text.startswith(SOURCED):
            loose.append(name)
        code = [line for line in text.splitlines() if not line.lstrip().startswith('#')]
        variable += [(name, found) for found in PLACEHOLDER.findall('\n'.join(code))]
    assert loose == []
    assert variable == []


def test_no_file_names_the_machine_it_was_written_on():
    # The home of root is the same on every node, and scripts set it there.
    places = {str(ROOT), str(Path.home()), sys.prefix} - {'/', '/root', sys.base_prefix}
    machine = re.compile(rf'(?<![\w/])(?:{"|".join(map(re.escape, sorted(places)))})(?![\w-])')
    # A file or a link that holds a path and nothing else is one that a tool left behind.
    left = re.compile(r'\A/\S+\s*\Z')
    listed = subprocess.run(
        ['git', 'ls-files', '-z'], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip('not a git checkout: a tarball cannot say which files are ours')
    found = []
    for name in filter(None, listed.stdout.split('\0')):
        path = ROOT / name
        text = path.read_text(errors='replace') if path.is_file() else ''
        pointed = path.is_symlink() and path.readlink().is_absolute()
        if pointed or machine.search(text) or left.search(text):
            found.append(name)
    assert found == []


def test_what_the_service_imports_is_what_it_requires():
    declared = requirements('options', 'install_requires')
    owners = metadata.packages_distributions()
    used = set()
    for _, package in imports(sources('magnum_lite')):
        if package not in sys.stdlib_module_names and package != 'magnum_lite':
            used |= {normal(owner) for owner in owners.get(package, [package])}
    # The contract kit is for tests, which bring pytest and its like.
    tools = requirements('options.extras_require', 'test')
    assert sorted(used - declared - tools) == [], 'imported and not required'
    assert sorted(declared - used - NEEDED_BY_NAME) == [], 'required and not imported'


def test_nobody_writes_but_through_the_retried_transaction():
    """``Database.write`` runs a transaction again after a deadlock; no other way may exist."""
    allowed = {f'magnum_lite/db/{name}.py' for name in ('bounds', 'engine', 'migrate')}
    found = [
        f'{name}: {node.func.attr}'
        for name, node in nodes(sources('magnum_lite'))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ('begin', 'connect', 'commit')
        and name not in allowed
    ]
    assert found == []


def test_no_run_of_an_operation_writes_without_its_fence():
    """``claims`` and ``settle`` name it themselves, ``compare`` names the version of a cluster on
    which nothing runs, ``health`` the fence of a look, ``overtaking`` the owner of a run that is
    over; all other work goes through ``fenced``."""
    # What belongs to no operation, or to a request; notifications have a lease of their own.
    no_run = {
        '_insert_first',
        '_insert_next',
        'report',
        'made',
        '_revoke',
        'revoke_strays',
        'late',
        'hold',
        'release',
        'sent',
    }
    found = []
    for path in sources('magnum_lite/conductor', 'magnum_lite/delegation'):
        name = path.relative_to(ROOT).as_posix()
        for function in ast.walk(ast.parse(path.read_text(), name)):
            if isinstance(function, ast.FunctionDef) and function.name not in no_run:
                found += [(name, function.name, work) for work in _unfenced(function, no_run)]
    assert found == []


def _unfenced(function, no_run):
    """What a function has written to the database without a fence."""
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == 'write'
            and 'database' in ast.unparse(node.func.value)
        ):
            work = ast.unparse(node.args[0])
            fenced = (
                work.startswith(('claims.', 'settle.', 'compare.', 'health.', 'overtaking.'))
                or work == 'waiting.record'
            )
            if not fenced and work.rpartition('.')[2] not in no_run:
                yield work


def test_the_fences_of_imports_know_every_driver():
    packages = {path.parent.name for path in ROOT.glob('drivers/*/magnum_lite_*/__init__.py')}
    contracts = (ROOT / 'setup.cfg').read_text()
    assert packages
    for fence in ('[importlinter]', 'contract:drivers]', 'contract:threads]'):
        section = contracts.partition(fence)[2].partition('\n[')[0]
        assert [name for name in sorted(packages) if f'\n    {name}\n' not in section] == []


def test_no_core_file_is_for_the_coe_of_one_driver():
    # Labels that templates of other clouds have, and the examples of a docstring.
    words = {'magnum_lite/api/known_labels.py', 'magnum_lite/driver_sdk/driver.py'}
    found = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / 'magnum_lite').rglob('*'))
        if path.suffix in ('.py', '.sh', '.yaml') and 'swarm' in path.read_text().lower()
    ]
    assert sorted(set(found) - words) == []
