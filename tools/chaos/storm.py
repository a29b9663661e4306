"""A storm, the calm after it, and the end of everything."""

import time

import requests

from magnum_lite_dev.rig.client import Client
from tools.chaos.nemesis import Nemesis, schedule
from tools.chaos.stage import LEASE_S, USERS
from tools.chaos.user import User

EVERY_S = 15
LOOK_S = 1
# Faults of these keep nobody from marking a notification as sent that the broker has.
NO_DOUBLES = {'heat', 'api', 'api-worker'}


def rage(stage, answers, seed, seconds, say):
    """Let users work while each kind of victim has a nemesis; all is healed at the end.

    :returns: the faults that were made.
    :raises OSError: a fault could not be made.
    """
    users = [_user(stage, project, seed, answers) for project in USERS]
    nemeses = [
        Nemesis(schedule(f'{seed}/doors', seconds, _kinds(stage.doors)), stage.doors, say),
        # A stopped worker comes back when its lease has long ended. A node of Galera that is silent
        # holds up the others for some seconds: time is needed in which they work without it.
        Nemesis(
            schedule(f'{seed}/processes', seconds, _kinds(stage.processes), least_s=LEASE_S),
            stage.processes,
            say,
        ),
        Nemesis(
            schedule(f'{seed}/nodes', seconds, _kinds(stage.nodes), least_s=LEASE_S),
            stage.nodes,
            say,
        ),
    ]
    begun = time.monotonic()
    for thread in (*users, *nemeses):
        thread.start()
    while (passed := time.monotonic() - begun) < seconds:
        time.sleep(min(EVERY_S, seconds - passed))
        say(f'{time.monotonic() - begun:6.1f} s: {answers.counts()}')
    for thread in (*nemeses, *users):
        thread.stop()
    for thread in (*nemeses, *users):
        thread.join()
    for nemesis in nemeses:
        if nemesis.error:
            raise nemesis.error
        stage.doubling += [
            span
            for fault, span in zip(nemesis.made, nemesis.spans, strict=True)
            if fault.target not in NO_DOUBLES
        ]
    return [fault for nemesis in nemeses for fault in nemesis.made]


def settle(stage, within_s):
    """Wait until every operation ended and every notification was heard; the last look.

    Not for longer than ``within_s`` seconds: the look then shows what has not.
    """
    until = time.monotonic() + within_s
    while True:
        world = stage.look()
        heard = {heard.id for heard in world.heard}
        late = [
            row
            for row in world.rows['outbox']
            if row['sent_at'] is None or row['uuid'] not in heard
        ]
        if time.monotonic() > until or not (world.open or late or world.strays):
            return world
        # What was lost never comes; only a look after the operations ended can tell.
        if not (world.open or world.strays) and not any(row['sent_at'] is None for row in late):
            time.sleep(LOOK_S)
            return stage.look()
        time.sleep(LOOK_S)


def delete_all(stage, within_s):
    """Delete every cluster, and wait until none is there; not for longer than ``within_s``."""
    for project, ident in stage.cloud.projects.items():
        for row in stage.rows().rows['clusters']:
            if row['project_id'] == ident:
                requests.delete(
                    f'{stage.url}/v1/clusters/{row["uuid"]}',
                    timeout=60,
                    headers={'X-Auth-Token': stage.cloud.token(project)},
                )
    until = time.monotonic() + within_s
    while stage.rows().rows['clusters'] and time.monotonic() < until:
        time.sleep(LOOK_S)
    return settle(stage, max(LOOK_S, until - time.monotonic()))


def _user(stage, project, seed, answers):
    token = stage.cloud.token(project)
    template = Client(stage.service.url, token).template()
    return User(stage.url, token, project, template, seed, answers)


def _kinds(victims):
    return {name: victim.kinds for name, victim in victims.items()}
