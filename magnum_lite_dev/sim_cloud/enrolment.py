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
PAUSES_S = 0.5, 5  # the first, and the longest
TIMEOUT_S = 30


class Unheard(Exception):
    """The service did not answer, or not yet with yes: the node asks again, later."""

    def __init__(self, after_s) -> None:
        super().__init__(f'again after {after_s} s')
        self.after_s = after_s


def enrol(row, keep=None) -> None:
    """Put what the server of this row is given into its ``_secrets``; nothing is asked of what
    its user data names no place for, nor for a second time.

    :param keep: called once, with what Nova is to keep as the password of the server; without it
        the row keeps it.
    :raises Unheard: nobody heard it.
    """
    values = user_data.variables(
        user_data.files(row['_user_data'].encode('utf-8', 'surrogateescape'))
    )
    url = values.get('ENROLMENT_URL')
    if not url or row.get('_service') or row.get('_has_given_up'):
        return
    if '_proof' not in row:
        proof = secrets.token_hex(32)
        row['_password'] = hashlib.sha256(proof.encode()).hexdigest()
        if keep:
            keep(row['_password'])
        row['_proof'] = proof
    asked = {'cluster': values['CLUSTER_UUID'], 'server': row['id'], 'proof': row['_proof']}
    reply = _ask(row, f'{url}/v1/enrolments', asked)
    if reply:
        row.update(_secrets=reply.json()['secrets'], _service=(url, asked))


def report(row, verdict) -> None:
    """Tell the service of a node that has enrolled how its boot ended.

    :param verdict: as a wait condition of Heat takes it.
    :raises Unheard: nobody heard it.
    """
    if row.get('_service') and not row.get('_has_given_up'):
        url, who = row['_service']
        _ask(
            row,
            f'{url}/v1/enrolments/reports',
            {**who, **{name: verdict[name] for name in ('status', 'reason', 'data')}},
        )


def _ask(row, url, body) -> requests.Response | None:
    """One request; the answer, None if this was the last that the node asks."""
    try:
        reply = requests.post(url, json=body, timeout=TIMEOUT_S)
        reply.raise_for_status()
    except requests.RequestException as error:
        LOG.info('node %s: %s', row['name'], error)
        refused = error.response is not None and error.response.status_code < 500
    else:
        row.update(_asks_since=None, _refusals=0)
        return reply
    row['_refusals'] = row.get('_refusals', 0) + refused
    row['_asks_since'] = row.get('_asks_since') or time.time()
    age = time.time() - row['_asks_since']
    if row['_refusals'] < REFUSALS and age < PATIENCE_S:
        shortest, longest = PAUSES_S
        raise Unheard(min(max(age / 10, shortest), longest))
    LOG.warning('node %s was not heard at %s', row['name'], url)
    row['_has_given_up'] = True
    return None
