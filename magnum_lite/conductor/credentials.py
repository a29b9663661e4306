"""What a cluster needs before its first node: authorities and random secrets, made once."""

import secrets
import string

from oslo_config import cfg

from magnum_lite.certs import authority
from magnum_lite.db import store
from magnum_lite.db.engine import Connection, Database
from magnum_lite.driver_sdk import Driver, Secret
from magnum_lite.objects import Certificate
from magnum_lite.secrets.vault import Vault

_ALPHABET = string.ascii_lowercase + string.digits


def ensure(conf: cfg.ConfigOpts, database: Database, vault: Vault, driver: Driver,
           cluster_id: str) -> bool:
    """Make what the driver declares and the cluster lacks; whether anything was made.

    Keys are made before the transaction, which then writes all or nothing.
    """
    with database.read() as connection:
        known = vault.refs(connection, cluster_id)
        purposes = {row.purpose for row in store.rows(connection, Certificate,
                                                      cluster_id=cluster_id)}
    authorities = {purpose: authority.make(
        _common_name(cluster_id, purpose), key_type=conf.certificates.key_type,
        days=conf.certificates.validity_days)
        for purpose in driver.authorities if purpose not in purposes}
    tokens = {name: _token(kind) for name, kind in driver.tokens.items() if name not in known}
    if authorities or tokens:
        database.write(_write, vault, cluster_id, authorities, tokens)
    return bool(authorities or tokens)


def secrets_of(connection: Connection, vault: Vault, driver: Driver,
               cluster_id: str) -> dict[str, Secret]:
    """``{purpose: Secret}`` as ``ClusterSpec`` wants it; without values where there are none yet.

    References derive from the purpose alone, so that a dry run and what it shows have the same.
    """
    values = vault.values(connection, cluster_id)
    values |= {f'ca.{row.purpose}.cert': row.pem
               for row in store.rows(connection, Certificate, cluster_id=cluster_id)}
    names = list(driver.tokens)
    for purpose in driver.authorities:
        names += [f'ca.{purpose}.cert', f'ca.{purpose}.key']
    return {name: Secret(f'{cluster_id}/{name}', values.get(name)) for name in names}


def _write(connection: Connection, vault: Vault, cluster_id: str,
           authorities: dict[str, authority.Authority], tokens: dict[str, str]) -> None:
    for name, text in tokens.items():
        vault.write(connection, cluster_id, name, text)
    for purpose, made in authorities.items():
        store.insert(connection, Certificate.new(
            cluster_id=cluster_id, purpose=purpose, pem=made.pem, not_after=made.not_after,
            key_ref=vault.write(connection, cluster_id, f'ca.{purpose}.key', made.key)))


def _common_name(cluster_id: str, purpose: str) -> str:
    """At most 64 characters (RFC 5280); never the cluster's name, which may be longer."""
    return f'{purpose}-{cluster_id}'[:64]


def _token(kind: str) -> str:
    if kind == 'bootstrap':
        return f'{_letters(6)}.{_letters(16)}'
    if kind == 'hex32':
        return secrets.token_hex(32)
    if kind == 'rsa-key':
        return authority.key_pem(authority.private_key('rsa-2048'))
    raise ValueError(f'unknown format of a secret: {kind}')


def _letters(count: int) -> str:
    return ''.join(secrets.choice(_ALPHABET) for _ in range(count))
