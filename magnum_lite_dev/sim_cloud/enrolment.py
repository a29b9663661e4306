"""A node that fetches its secrets from the service, as the boot script of a driver would."""
import hashlib
import logging
import secrets
import time

import requests

from magnum_lite_dev.sim_cloud import user_data

LOG = logging.getLogger(__name__)
ATTEMPTS = 60
PAUSE_S = 0.5
TIMEOUT_S = 30


def enrol(row):
    """Put what the server of this row is given into its ``_secrets``; nothing is asked of what
    its user data names no place for."""
    values = user_data.variables(user_data.files(
        row['_user_data'].encode('utf-8', 'surrogateescape')))
    url = values.get('ENROLMENT_URL')
    if not url or row.get('_secrets'):
        return
    proof = secrets.token_hex(32)
    row['_console'] = f'magnum-lite enrolment {hashlib.sha256(proof.encode()).hexdigest()}\n'
    for _ in range(ATTEMPTS):
        if row['_deleted_at']:
            return
        reply = _ask(url, {'cluster': values['CLUSTER_UUID'], 'server': row['id'], 'proof': proof})
        if reply is not None:
            row.update(_secrets=reply, _proof=proof)
            return
        time.sleep(PAUSE_S)
    LOG.warning('node %s could not enrol at %s', row['name'], url)


def _ask(url, body):
    try:
        reply = requests.post(f'{url}/v1/enrolments', json=body, timeout=TIMEOUT_S)
        reply.raise_for_status()
    except requests.RequestException as error:
        LOG.info('enrolment: %s', error)
        return None
    return reply.json()['secrets']
