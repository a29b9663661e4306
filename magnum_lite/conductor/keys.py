"""What a cluster needs before its first node: authorities and random secrets, made once."""

import itertools
import secrets
import string
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from oslo_config import cfg

from magnum_lite.certs import authority
from magnum_lite.db import authorities, claims, store
from magnum_lite.db.engine import Connection, Database, Row
from magnum_lite.driver_sdk import APPLICATION_CREDENTIAL, Driver, Secret
from magnum_lite.objects import Certificate, Cluster, Operation
from magnum_lite.secrets.vault import Vault

_Key = tuple[str, int]  # of an authority: purpose and generation
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
    coming = operation.wants.at_end.cluster.get('ca_generation', cluster.ca_generation)
    wanted = list(itertools.product(driver.authorities, sorted({cluster.ca_generation, coming})))
    with database.read() as connection:
        known = vault.refs(connection, cluster.uuid)
        made = {
            (row.purpose, row.generation): row
            for row in store.rows(connection, Certificate, cluster_id=cluster.uuid)
        }
        issuers = _issuers(made, wanted)
        keys = {
            issuer: vault.read(connection, made[issuer].key_ref)
            for issuer in issuers.values()
            if issuer in made
        }
    fresh = {
        key: authority.make(
            _common_name(cluster.uuid, key[0]),
            key_type=conf.certificates.key_type,
            days=conf.certificates.validity_days,
        )
        for key in wanted
        if key not in made
    }
    crosses = _crosses(issuers, {**made, **fresh}, keys | {key: fresh[key].key for key in fresh})
    tokens = {name: _token(kind) for name, kind in driver.tokens.items() if name not in known}
    if fresh or tokens or crosses:
        database.write(claims.fenced, operation, _write, vault, cluster, fresh, tokens, crosses)
    return bool(fresh or tokens or crosses)


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
            _bundle(purpose, 'trusted', found.generations): found.trusted,
            _bundle(purpose, 'cross', _crossed(cluster, found.generations)): found.cross,
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
        generations = trusted.get(purpose, (cluster.ca_generation,))
        names |= {
            f'ca.{purpose}.trusted': _bundle(purpose, 'trusted', generations),
            f'ca.{purpose}.cross': _bundle(purpose, 'cross', _crossed(cluster, generations)),
        }
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


def _bundle(purpose: str, part: str, generations: Sequence[int]) -> str:
    """What certificates of several generations would be kept as; as ``_name``."""
    numbers = map(str, generations) if tuple(generations) != (1,) else ()
    return '.'.join(('ca', purpose, part, *numbers))


def _crossed(cluster: Cluster, trusted: Sequence[int]) -> Sequence[int]:
    """That which signs and all that have before, the newest first; none where there is no other."""
    found = [generation for generation in trusted if generation <= cluster.ca_generation]
    return found if len(found) > 1 else ()


def _issuers(made: Mapping[_Key, Row], wanted: Iterable[_Key]) -> dict[_Key, _Key]:
    """``{authority: the one before it}`` of those without a cross certificate; a conductor of
    release 1.0 makes none."""
    known, found = {*made, *wanted}, {}
    for purpose, generation in known:
        before = [key for key in known if key[0] == purpose and key[1] < generation]
        row = made.get((purpose, generation))
        if before and not (row and row.cross_pem):
            found[purpose, generation] = max(before)
    return found


def _crosses(
    issuers: Mapping[_Key, _Key], known: Mapping[_Key, Any], keys: Mapping[_Key, str]
) -> dict[_Key, str]:
    """``{authority: cross certificate, PEM}``; of ``issuers``, without those that have expired."""
    found = {
        key: authority.cross(known[key].pem, known[issuer].pem, keys[issuer])
        for key, issuer in issuers.items()
    }
    return {key: pem for key, pem in found.items() if pem}


def _write(
    connection: Connection,
    vault: Vault,
    cluster: Cluster,
    fresh: Mapping[_Key, authority.Authority],
    tokens: Mapping[str, str],
    crosses: Mapping[_Key, str],
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
    for (purpose, generation), pem in crosses.items():
        where = {'cluster_id': cluster.uuid, 'purpose': purpose, 'generation': generation}
        store.update(connection, Certificate, {'cross_pem': pem}, **where)


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
