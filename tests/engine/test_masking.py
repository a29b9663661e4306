"""No secret of a cluster in what people read of its operations."""

import pytest
import sqlalchemy as sa

from magnum_lite.conductor.masking import MASK, masked
from magnum_lite.db.tables import secrets
from magnum_lite.driver_sdk import DONE, Cause, Failed, Secret, Waiting
from magnum_lite.secrets.vault import Vault

KEY = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nshort\n-----END KEY-----\n'


def values(conf, database, cluster_id):
    """The secrets of a cluster, in the order in which they were made."""
    vault = Vault(conf)
    with database.read() as connection:
        refs = (
            connection.execute(sa.select(secrets.c.ref).where(secrets.c.cluster_id == cluster_id))
            .scalars()
            .all()
        )
        return [vault.read(connection, ref) for ref in refs]


def test_a_cloud_that_quotes_secrets_is_not_quoted(conf, database, worker, tenant, faults):
    create = tenant.create(nodes=1)
    tenant.wait(create)
    lines = [
        line
        for value in values(conf, database, create.cluster_id)
        for line in value.splitlines()
        if line and '-----' not in line
    ]
    for quoted in (lines[0], lines[-1]):
        faults.fault(
            kind='http',
            match='POST /network/v2.0/ports',
            status=400,
            message=f'Invalid input. Value: {quoted}.',
        )
        try:
            failed = tenant.wait(tenant.resize(create.cluster_id, 2), 'FAILED')
        finally:
            faults.clear_faults()
        told = [
            failed.error_text,
            tenant.cluster(create.cluster_id).status_reason,
            *(cause['reason'] for cause in failed.causes),
        ]
        assert all(f'Value: {MASK}.' in text and quoted not in text for text in told)


@pytest.mark.parametrize('quote', [str, repr, lambda text: text.replace('\n', '\r\n')])
def test_what_a_driver_says_is_masked_wherever_it_says_it(quote):
    told = [Secret('r', KEY), Secret('t', 'a'), Secret('d')]
    said = f'a key: {quote(KEY)}'
    cause = Cause('r', 'T', 'S', said)
    for progress in (Failed('code', said, (cause,)), Waiting(said, 1, said, (cause,), phase='p')):
        found = masked(progress, told)
        assert 'MIIEvQ' not in repr(found) and repr(found).count(MASK) >= 2
        assert masked(found, told) == found
    assert masked(DONE, told) is DONE
    assert masked(Waiting('a b', 1), told) == Waiting('a b', 1)
