"""What a cluster needs before its first node: authorities and random secrets, made once."""

import itertools
import secrets
import string
import types
from collections.abc import Mapping, Sequence

from oslo_config import cfg

from magnum_lite.certs import authority
from magnum_lite.db import authorities, claims, store
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
    """Make what the driver declares and the cluster lacks, or what the operation is to bring;
    whether anything was made.

    Keys are made before the transaction, which then writes all or nothing.

    :raises LostClaim: the run of the operation is over.
    """
    with database.read() as connection:
        known = vault.refs(connection, cluster.uuid)
        made = {
            (row.purpose, row.generation)
            for row in store.rows(
                connection, Certificate, 'purpose', 'generation', cluster_id=cluster.uuid
            )
        }
    coming = operation.wants.at_end.cluster.get('ca_generation', cluster.ca_generation)
    wanted = itertools.product(driver.authorities, sorted({cluster.ca_generation, coming}))
    fresh = {
        key: authority.make(
            _common_name(cluster.uuid, key[0]),
            key_type=conf.certificates.key_type,
            days=conf.certificates.validity_days,
        )
        for key in wanted
        if key not in made
    }
    tokens = {name: _token(kind) for name, kind in driver.tokens.items() if name not in known}
    if fresh or tokens:
        database.write(claims.fenced, operation, _write, vault, cluster, fresh, tokens)
    return bool(fresh or tokens)


def secrets_of(
    connection: Connection, vault: Vault, driver: Driver, cluster: Cluster
) -> dict[str, Secret]:
    """``{purpose: Secret}`` as ``ClusterSpec`` wants it; no value where there is none yet."""
    values = vault.values(connection, cluster.uuid)
    trusted = {}
    for purpose, found in authorities.of(connection, cluster).items():
        trusted[purpose] = found.generations
        values |= {
            _name(purpose, 'cert', cluster.ca_generation): found.signs.pem,
            _bundle(purpose, found.generations): found.trusted,
        }
    return references(driver, cluster, values, trusted)


def references(
    driver: Driver,
    cluster: Cluster,
    values: Mapping[str, str] = types.MappingProxyType({}),
    trusted: Mapping[str, Sequence[int]] = types.MappingProxyType({}),
) -> dict[str, Secret]:
    """As ``secrets_of``, from what is known of the cluster alone.

    References derive from purpose and generations alone, so that a dry run and what it shows have
    the same.

    :param values: by the names that they are kept under.
    :param trusted: ``{purpose: generations}``, the newest first; without, those that sign.
    """
    names = {name: name for name in driver.tokens}
    for purpose in driver.authorities:
        names |= {
            f'ca.{purpose}.{part}': _name(purpose, part, cluster.ca_generation)
            for part in ('cert', 'key')
        }
        names[f'ca.{purpose}.trusted'] = _bundle(
            purpose, trusted.get(purpose, (cluster.ca_generation,))
        )
    found = {
        name: Secret(f'{cluster.uuid}/{kept}', values.get(kept)) for name, kept in names.items()
    }
    if cluster.application_credential:  # made while accepting, by the caller's token
        generation = cluster.application_credential['generation']
        for name in APPLICATION_CREDENTIAL:
            found[name] = Secret(f'{cluster.uuid}/{name}.{generation}', values.get(name))
    return found


def _name(purpose: str, part: str, generation: int) -> str:
    """What a part of an authority is kept as: the first generation has no number."""
    name = f'ca.{purpose}.{part}'
    return name if generation == 1 else f'{name}.{generation}'


def _bundle(purpose: str, generations: Sequence[int]) -> str:
    """What all that is trusted would be kept as; as ``_name``."""
    numbers = map(str, generations) if tuple(generations) != (1,) else ()
    return '.'.join(('ca', purpose, 'trusted', *numbers))


def _write(
    connection: Connection,
    vault: Vault,
    cluster: Cluster,
    fresh: Mapping[tuple[str, int], authority.Authority],
    tokens: Mapping[str, str],
) -> None:
    for name, text in tokens.items():
        vault.write(connection, cluster.uuid, name, text)
    for (purpose, generation), made in fresh.items():
        store.insert(
            connection,
            Certificate.new(
                cluster_id=cluster.uuid,
                purpose=purpose,
                generation=generation,
                pem=made.pem,
                not_after=made.not_after,
                key_ref=vault.write(
                    connection, cluster.uuid, _name(purpose, 'key', generation), made.key
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
