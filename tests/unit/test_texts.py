"""What the documents claim, as far as it can be compared with the code."""

import re
from importlib import metadata
from pathlib import Path

from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.api.microversion import NEWEST, OLDEST
from magnum_lite.conductor import registry
from magnum_lite.driver_sdk import Driver
from magnum_lite.objects import kinds
from magnum_lite.objects.statuses import HEALTH, STABLE, STATUSES
from tests.test_fences import CATCH_ALL

ROOT = Path(__file__).resolve().parent.parent.parent
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in [
        ROOT / 'README.rst',
        *(ROOT / 'doc').glob('*.rst'),
        *(ROOT / 'drivers').glob('*.rst'),
        *(ROOT / 'drivers').glob('*/*.rst'),
    ]
}
# Where a path in a text may begin.
BEGIN = ('', 'magnum_lite/', 'drivers/kubernetes/', 'drivers/kubernetes/magnum_lite_kubernetes/')
# Sections of libraries that register their options where they are used, and of Keystone's own file.
FOREIGN = {
    'DEFAULT',
    'audit_middleware_notifications',
    'healthcheck',
    'keystone_authtoken',
    'oslo_messaging_notifications',
    'oslo_policy',
    'token',
}


def found(pattern):
    """(file, match) of everything in the texts that matches."""
    return [(name, match) for name, text in TEXTS.items() for match in re.finditer(pattern, text)]


def test_options_that_texts_name_are_there():
    conf = cfg.ConfigOpts()
    options.register(conf)
    named = {(name, *match.groups()) for name, match in found(r'``\[(\w+)\]\s(\w+)')}
    assert len(named) > 40
    missing = sorted(
        one
        for one in named
        if one[1] not in FOREIGN and (one[1] not in conf or one[2] not in conf[one[1]])
    )
    assert missing == []


def test_files_that_texts_name_are_there():
    named = {
        (name, match[1]) for name, match in found(r'``([\w/.-]+/[\w.-]+\.(?:py|rst|sh|txt))``')
    }
    assert len(named) > 40
    assert [
        one for one in named if not any((ROOT / begin / one[1]).exists() for begin in BEGIN)
    ] == []


def test_statuses_that_texts_name_are_there():
    named = {match[0] for _, match in found(r'\b[A-Z]+_(COMPLETE|FAILED|IN_PROGRESS)\b')}
    assert named and named <= set(STATUSES)
    assert {match[0] for _, match in found(r'\b(UN)?(HEALTHY)\b')} <= set(HEALTH)


def test_the_table_of_what_is_accepted_when_is_that_of_the_kinds():
    failed = {status for status in STATUSES if status.endswith('_FAILED')} - {'DELETE_FAILED'}
    groups = {'any': set(STATUSES), '..._COMPLETE': set(STABLE), '..._FAILED': failed}
    told = {}
    table = re.search(r'^=+  =+\nchange .*?\n=.*?\n(.*?)^=', TEXTS['doc/rest.rst'], re.M | re.S)
    for line in re.sub(r'\n +', ' ', table[1]).splitlines():  # rows of several lines
        names, statuses = re.split(r'  +', line)
        for name in re.findall(r'``([a-z_]+)``', names):
            some, _, others = statuses.partition(' but ')
            named, without = (
                set().union(*(groups.get(word) or {word} for word in re.findall(r'[\w.]+', part)))
                for part in (some, others)
            )
            told[name] = named - without
    assert told == {kind.name: set(kind.statuses) for kind in kinds.TABLE.values() if kind.statuses}


def test_codes_of_failures_in_the_table_of_symptoms_are_in_the_code():
    codes = {
        code
        for line in re.findall(r'^   \* - (``.*)$', TEXTS['doc/operators.rst'], re.M)
        for code in re.findall(r'``([a-z]+-[a-z-]+)``', line)
    }
    assert len(codes) >= 5
    source = '\n'.join(
        path.read_text()
        for folder in ('magnum_lite', 'drivers')
        for path in (ROOT / folder).rglob('*.py')
    )
    assert [code for code in codes if f"'{code}'" not in source] == []


def test_all_places_that_catch_everything_are_told_to_contributors():
    text = TEXTS['doc/contributing.rst']
    assert [
        name for name in CATCH_ALL if f'``{name.removeprefix("magnum_lite/")}``' not in text
    ] == []


def test_versions_and_capabilities_that_texts_name_are_there():
    assert f'microversions {OLDEST} to {NEWEST}' in ' '.join(TEXTS['README.rst'].split())
    assert f'microversions {OLDEST} to {NEWEST}' in ' '.join(TEXTS['doc/rest.rst'].split())
    known = set(re.findall(r'``(\w+)``', Driver.__doc__))
    named = {match[1] for _, match in found(r'capability\s+``(\w+)``')}
    assert named and named <= known


def test_what_the_readme_says_is_missing_from_the_kubernetes_driver_is_missing():
    """So that it is said of none that has it since."""
    (driver,) = metadata.entry_points(group=registry.NAMESPACE, name='kubernetes')
    assert (
        'upgrades, new certificate authorities and application credentials of nodes by the '
        'Kubernetes driver'
    ) in ' '.join(TEXTS['README.rst'].split())
    assert not driver.load().capabilities & {'upgrade', 'rotate_ca', 'application_credential'}
