"""Labels and taints of nodes in the COE: what a node group may ask for (contract 4.7)."""

import re
from collections.abc import Mapping
from typing import Any

EFFECTS = ('NoSchedule', 'PreferNoSchedule', 'NoExecute')
# Of labels, and of taints, of one node: they go with its user data, which is small.
MOST = 32
SCHEMA = {
    'type': 'array',
    'maxItems': MOST,
    'items': {
        'type': 'object',
        'additionalProperties': False,
        'required': ['key', 'effect'],
        'properties': {
            'key': {'type': 'string'},
            'value': {'type': ['string', 'null']},
            'effect': {'type': 'string', 'enum': list(EFFECTS)},
        },
    },
}
# Prefixes that a node may not give itself, and what is allowed below them all the same.
_RESERVED = re.compile(r'(.*\.)?(kubernetes|k8s)\.io\Z')
_PREFIXES = ('kubelet.kubernetes.io', 'node.kubernetes.io')
_KEYS = frozenset(
    """
beta.kubernetes.io/arch beta.kubernetes.io/instance-type beta.kubernetes.io/os
failure-domain.beta.kubernetes.io/region failure-domain.beta.kubernetes.io/zone
kubernetes.io/arch kubernetes.io/hostname kubernetes.io/os node.kubernetes.io/instance-type
node.kubernetes.io/windows-build topology.kubernetes.io/region topology.kubernetes.io/zone
""".split()
)
_NAME = re.compile(r'[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z')
_PREFIX = re.compile(r'[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\Z')


def check_labels(labels: Mapping[str, str]) -> None:
    """Refuse labels that a node could not give itself.

    :raises ValueError: naming the label and what is accepted.
    """
    if len(labels) > MOST:
        raise ValueError(f'a node has at most {MOST} labels, prefixed ones of the group too')
    for key, value in labels.items():
        _check_key(key)
        prefix = key.rpartition('/')[0]
        if _RESERVED.match(prefix) and prefix not in _PREFIXES and key not in _KEYS:
            raise ValueError(
                f'label {key}: the prefix {prefix} is reserved, {" and ".join(_PREFIXES)} are not'
            )
        if value and not _NAME.match(value):
            raise ValueError(
                f'label {key}: a value of at most 63 letters, digits, dots, '
                'underscores and hyphens is expected'
            )


def check_taints(taints: Any) -> None:
    """Refuse what is no list of taints.

    :raises ValueError: naming the taint and what is accepted.
    """
    if not isinstance(taints, list):
        raise ValueError('a list of taints is expected')
    if len(taints) > MOST:
        raise ValueError(f'a node has at most {MOST} taints')
    for taint in taints:
        if not isinstance(taint, dict) or taint.keys() - {'key', 'value', 'effect'}:
            raise ValueError('a taint has key, effect and, if need be, value, and nothing else')
        if not isinstance(taint.get('key'), str):
            raise ValueError('a taint needs a key, which is text')
        _check_key(taint['key'])
        if taint.get('effect') not in EFFECTS:
            raise ValueError(f'taint {taint["key"]}: the effect is one of {", ".join(EFFECTS)}')
        value = taint.get('value')
        if value and not (isinstance(value, str) and _NAME.match(value)):
            raise ValueError(
                f'taint {taint["key"]}: a value of at most 63 letters, digits, dots, '
                'underscores and hyphens is expected'
            )


def _check_key(key: str) -> None:
    prefix, slash, name = key.rpartition('/')
    if not _NAME.match(name) or slash and not _PREFIX.match(prefix):
        raise ValueError(
            f'{key[:255]!r} is no key: a name, or a DNS name, a slash and a name are expected'
        )
