"""A node that fetches its secrets from the service, as the boot script of a driver would."""

import hashlib
import logging
import secrets
import time

import requests

from magnum_lite_dev.sim_cloud import user_data

LOG = logging.getLogger(__name__)
REFUSALS = 60  # of a service that answers
PATIENCE_S = 600  # while it does not, or cannot ask the cloud: as long as boot scripts ask
PAUSE_S = 0.5
TIMEOUT_S = 30


def enrol(row) -> None:
    """Put what the server of this row is given into its ``_secrets``; nothing is asked of what
    its user data names no place for."""
    values = user_data.variables(
        user_data.files(row['_user_data'].encode('utf-8', 'surrogateescape'))
    )
    url = values.get('ENROLMENT_URL')
    if not url or row.get('_secrets'):
        return
    proof = row.setdefault('_proof', secrets.token_hex(32))
    row['_password'] = hashlib.sha256(proof.encode()).hexdigest()
    asked = {'cluster': values['CLUSTER_UUID'], 'server': row['id'], 'proof': proof}
    reply = _persist(row, f'{url}/v1/enrolments', asked)
    if reply:
        row.update(_secrets=reply.json()['secrets'], _service=(url, asked))


def report(row, verdict) -> None:
    """Tell the service of a node that has enrolled how its boot ended.

    :param verdict: as a wait condition of Heat takes it.
    """
    if row.get('_service'):
        url, who = row['_service']
        _persist(
            row,
            f'{url}/v1/enrolments/reports',
            {**who, **{name: verdict[name] for name in ('status', 'reason', 'data')}},
        )


def _persist(row, url, body) -> requests.Response | None:
    began, refusals = time.monotonic(), 0
    while refusals < REFUSALS and time.monotonic() - began < PATIENCE_S:
        if row['_deleted_at']:
            return None
        try:
            reply = requests.post(url, json=body, timeout=TIMEOUT_S)
            reply.raise_for_status()
            return reply
        except requests.RequestException as error:
            LOG.info('node %s: %s', row['name'], error)
            refusals += error.response is not None and error.response.status_code < 500
        time.sleep(PAUSE_S)
    LOG.warning('node %s was not heard at %s', row['name'], url)
    return None
