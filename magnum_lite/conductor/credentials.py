"""What a cluster needs before its first node: authorities and random secrets, made once."""

import secrets
import string
from collections.abc import Sequence
from typing import Any

from oslo_config import cfg

from magnum_lite.certs import authority
from magnum_lite.db import claims, store
from magnum_lite.db.engine import Connection, Database
from magnum_lite.driver_sdk import APPLICATION_CREDENTIAL, Driver, Secret
from magnum_lite.objects import Certificate, Cluster, Operation
from magnum_lite.secrets.vault import Vault

_ALPHABET = string.ascii_lowercase + string.digits


def ensure(
    conf: cfg.ConfigOpts,
    database: Database,
    vault: Vault,
    driver: Driver,
    cluster: Cluster,
    operation: Operation,
) -> bool:
    """Make what the driver declares and the cluster lacks; whether anything was made.

    Keys are made before the transaction, which then writes all or nothing.

    :raises LostClaim: the run of the operation is over.
    """
    with database.read() as connection:
        known = vault.refs(connection, cluster.uuid)
        purposes = {row.purpose for row in _authorities(connection, cluster)}
    authorities = {
        purpose: authority.make(
            _common_name(cluster.uuid, purpose),
            key_type=conf.certificates.key_type,
            days=conf.certificates.validity_days,
        )
        for purpose in driver.authorities
        if purpose not in purposes
    }
    tokens = {name: _token(kind) for name, kind in driver.tokens.items() if name not in known}
    if authorities or tokens:
        database.write(claims.fenced, operation, _write, vault, cluster, authorities, tokens)
    return bool(authorities or tokens)


def secrets_of(
    connection: Connection, vault: Vault, driver: Driver, cluster: Cluster
) -> dict[str, Secret]:
    """``{purpose: Secret}`` as ``ClusterSpec`` wants it; without values where there are none yet.

    References derive from purpose and generation alone, so that a dry run and what it shows have
    the same.
    """
    values = vault.values(connection, cluster.uuid)
    values |= {
        _name(cluster, row.purpose, 'cert'): row.pem for row in _authorities(connection, cluster)
    }
    names = {name: name for name in driver.tokens}
    for purpose in driver.authorities:
        names |= {f'ca.{purpose}.{part}': _name(cluster, purpose, part) for part in ('cert', 'key')}
    found = {
        name: Secret(f'{cluster.uuid}/{kept}', values.get(kept)) for name, kept in names.items()
    }
    if cluster.application_credential:  # made while accepting, by the caller's token
        generation = cluster.application_credential['generation']
        for name in APPLICATION_CREDENTIAL:
            found[name] = Secret(f'{cluster.uuid}/{name}.{generation}', values.get(name))
    return found


def _authorities(connection: Connection, cluster: Cluster) -> Sequence[Any]:
    return store.rows(
        connection, Certificate, cluster_id=cluster.uuid, generation=cluster.ca_generation
    )


def _name(cluster: Cluster, purpose: str, part: str) -> str:
    """What a part of an authority is kept as: the first generation has no number."""
    name = f'ca.{purpose}.{part}'
    return name if cluster.ca_generation == 1 else f'{name}.{cluster.ca_generation}'


def _write(
    connection: Connection,
    vault: Vault,
    cluster: Cluster,
    authorities: dict[str, authority.Authority],
    tokens: dict[str, str],
) -> None:
    for name, text in tokens.items():
        vault.write(connection, cluster.uuid, name, text)
    for purpose, made in authorities.items():
        store.insert(
            connection,
            Certificate.new(
                cluster_id=cluster.uuid,
                purpose=purpose,
                generation=cluster.ca_generation,
                pem=made.pem,
                not_after=made.not_after,
                key_ref=vault.write(
                    connection, cluster.uuid, _name(cluster, purpose, 'key'), made.key
                ),
            ),
        )


def _common_name(cluster_id: str, purpose: str) -> str:
    """At most 64 characters (RFC 5280); never the cluster's name, which may be longer."""
    return f'{purpose}-{cluster_id}'[:64]


def _token(kind: str) -> str:
    if kind == 'bootstrap':
        return f'{_letters(6)}.{_letters(16)}'
    if kind == 'hex32':
        return secrets.token_hex(32)
    if kind == 'ec-key':
        return authority.key_pem(authority.private_key('ec-p256'))
    raise ValueError(f'unknown format of a secret: {kind}')


def _letters(count: int) -> str:
    return ''.join(secrets.choice(_ALPHABET) for _ in range(count))
