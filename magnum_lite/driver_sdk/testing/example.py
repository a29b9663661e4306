"""Specs to try a driver with: ordinary ones, and one whose every text is hostile."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from magnum_lite.driver_sdk.driver import Driver
from magnum_lite.driver_sdk.spec import (
    APPLICATION_CREDENTIAL,
    ClusterSpec,
    Image,
    Network,
    NodeGroupSpec,
    Secret,
)

CLUSTER = '5f1f0c1e-63a1-4d27-9d2b-3c0e5f8a1b00'
CONTROL_PLANE = 'c0000000-8a55-4d5e-9d0a-2f5b6c7d8e90'
WORKERS = 'a0000000-8a55-4d5e-9d0a-2f5b6c7d8e91'
MORE_WORKERS = 'b0000000-8a55-4d5e-9d0a-2f5b6c7d8e92'
# What the simulated cloud has.
FLAVOR = 'm1.small'
EXTERNAL_NETWORK = 'public'
IMAGES = {'debian': 'debian-13', 'ubuntu': 'ubuntu-24.04'}
AUTH_URL = 'https://identity.example.org/v3'
ENROLMENT_URL = 'https://containers.example.org'
# Everything that a shell, YAML, JSON, a mail header or a templating language might act on.
HOSTILE = (
    '\'; touch /tmp/executed; $(touch /tmp/executed) `touch /tmp/executed` "\\\n'
    '--boundary\r\n- {x: [%index%, {{ x }}, %(x)s, $node_env]} # \u2028 \x85 \U0001f600'
)
_TOKENS = {'bootstrap': 'abcdef.0123456789abcdef', 'hex32': '0123456789abcdef' * 4}


def spec(driver: Driver, **changes: Any) -> ClusterSpec:
    """A small cluster of a driver: one control-plane node, one worker, its default configuration.

    :param changes: fields of ``ClusterSpec``; ``config`` is laid over the default.
    """
    distro = sorted(driver.distros)[0]
    image = IMAGES.get(distro, distro)
    config = {**driver.get_default_config(), **changes.pop('config', {})}
    small = ClusterSpec(
        uuid=CLUSTER,
        name='Example_1',
        project_id='example',
        coe=driver.coe,
        server_type=sorted(driver.server_types)[-1],
        image=Image(image, image, distro),
        network=Network(external_network=EXTERNAL_NETWORK, dns_nameservers=('192.0.2.53',)),
        node_groups=(group('master', image=image), group('worker', image=image)),
        config=config,
        secrets=secrets(driver),
        attempt='first',
        auth_url=AUTH_URL if 'application_credential' in driver.capabilities else None,
    )
    return dataclasses.replace(small, **changes)


def group(role: str, *, image: str = 'debian-13', **changes: Any) -> NodeGroupSpec:
    """A node group of one node."""
    master = role == 'master'
    small = NodeGroupSpec(
        uuid=CONTROL_PLANE if master else WORKERS,
        name=f'default-{role}',
        role=role,
        node_count=1,
        flavor=FLAVOR,
        image=image,
    )
    return dataclasses.replace(small, **changes)


def with_nodes(wanted: ClusterSpec, count: int, **changes: Any) -> ClusterSpec:
    """``wanted`` with another node count in its first worker group."""
    first = wanted.worker_groups[0]
    changed = dataclasses.replace(first, node_count=count, **changes)
    return dataclasses.replace(
        wanted, node_groups=tuple(changed if g is first else g for g in wanted.node_groups)
    )


def surge(wanted: ClusterSpec) -> tuple[ClusterSpec, ...]:
    """``wanted`` on the way to a new generation of its first worker group: with it, beside the old
    one; the old one is going; it is gone."""
    group = wanted.worker_groups[0]
    old = dataclasses.replace(group, config=dict(wanted.of_group(group).config))
    going = dataclasses.replace(old, going=True)
    return tuple(
        with_nodes(wanted, group.node_count, generation=group.generation + 1, beside=beside)
        for beside in ((old,), (going,), ())
    )


def secrets(driver: Driver) -> dict[str, Secret]:
    """A secret for whatever a driver gets one for; each value is found nowhere else."""
    refs = {
        f'ca.{purpose}.{part}': 'pem'
        for purpose in driver.authorities
        for part in ('cert', 'key', 'trusted')
    } | dict(driver.tokens)
    nothing = {
        f'ca.{purpose}.cross': Secret(f'secret/ca.{purpose}.cross', '')
        for purpose in driver.authorities
    }
    if 'application_credential' in driver.capabilities:
        refs |= dict.fromkeys(APPLICATION_CREDENTIAL, 'application_credential')
    return nothing | {
        ref: Secret(f'secret/{ref}', _TOKENS.get(kind) or _pem(ref)) for ref, kind in refs.items()
    }


def rotation(wanted: ClusterSpec, purposes: Iterable[str]) -> tuple[ClusterSpec, ...]:
    """``wanted`` in the three stages in which these authorities of it are replaced: both trusted;
    both trusted, and the new ones sign, with a cross certificate; the new ones alone."""
    purposes = tuple(purposes)
    both = {f'ca.{purpose}.trusted': 'both' for purpose in purposes}
    new = {f'ca.{purpose}.{part}': 'new' for purpose in purposes for part in ('cert', 'key')}
    crossed = {f'ca.{purpose}.cross': 'new' for purpose in purposes}
    alone = dict.fromkeys(both, 'new')
    return tuple(
        dataclasses.replace(
            wanted,
            secrets={
                **wanted.secrets,
                **{
                    name: Secret(f'secret/{name}.{which}', _pem(f'{name}.{which}'))
                    for name, which in stage.items()
                },
            },
        )
        for stage in (both, both | new | crossed, new | alone)
    )


def scenarios(driver: Driver) -> dict[str, ClusterSpec]:
    """``{name: spec}``: for each server type the shapes that a cluster commonly has."""
    found: dict[str, ClusterSpec] = {}
    for kind in sorted(driver.server_types):
        small = spec(driver, server_type=kind)
        more = dataclasses.replace(
            small.worker_groups[0],
            uuid=MORE_WORKERS,
            name='More.Workers',
            node_count=2,
            node_labels={'example.org/disk': 'ssd'},
            node_taints=({'key': 'gpu', 'effect': 'NoSchedule'},),
        )
        found |= {
            f'{kind}-defaults': small,
            f'{kind}-given-network': dataclasses.replace(
                small,
                network=Network(
                    fixed_network='private',
                    fixed_subnet='private-subnet',
                    floating_ip_enabled=False,
                ),
            ),
            f'{kind}-two-groups': dataclasses.replace(
                small, node_groups=(*small.node_groups, more)
            ),
            f'{kind}-no-workers': with_nodes(small, 0),
            f'{kind}-hostile': hostile(small),
        }
    return found


def hostile(wanted: ClusterSpec) -> ClusterSpec:
    """``wanted`` with hostile text wherever the API lets a user write freely."""
    first = wanted.worker_groups[0]
    bad = dataclasses.replace(
        first,
        name=HOSTILE,
        node_labels={'example.org/x': HOSTILE},
        node_taints=({'key': HOSTILE, 'effect': 'NoSchedule'},),
    )
    return dataclasses.replace(
        wanted,
        name=HOSTILE,
        ssh_public_key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA it\'s "$(id)"',
        node_groups=tuple(bad if g is first else g for g in wanted.node_groups),
    )


def without_values(found: Mapping[str, Secret]) -> dict[str, Secret]:
    """Secrets as a dry run has them: references only."""
    return {purpose: Secret(secret.ref) for purpose, secret in found.items()}


def _pem(ref: str) -> str:
    body = ref.encode().hex().upper()
    return f'-----BEGIN EXAMPLE-----\n{body}\n{body[::-1]}\n-----END EXAMPLE-----\n'
