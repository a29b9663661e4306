"""The controls of the simulated cloud, below ``/sim``: what tests and demonstrations turn."""

from typing import Any

from magnum_lite_dev.sim_cloud import faults, seed
from magnum_lite_dev.sim_cloud.request import Refusal, now

SETTINGS = ('build_seconds', 'delete_seconds', 'signal_seconds')


def handle(cloud, asked) -> tuple[int, Any]:
    """(status, document) of ``/sim/NAME``.

    :raises Refusal: 400, it cannot be so; 404, there is no such control.
    """
    answer = _CONTROLS.get(asked.path[0] if asked.path else '')
    if answer is None:
        raise asked.unknown()
    return 200, answer(cloud, asked)


def hurt(cloud, asked) -> None:
    """Do what a fault does at once, or undo it; whoever calls does not hold the store's lock,
    for which a node may be waiting.

    :raises Refusal: 400, no server boots that it could happen to.
    """
    if asked.path[:1] != ('faults',):
        return
    if asked.method == 'DELETE' and cloud.nodes.fleet:
        cloud.nodes.fleet.mend()
    elif asked.method == 'POST' and asked.body.get('kind') in faults.AT_ONCE:
        faults.check(asked.body)
        pattern = asked.body.get('match', '*')
        if not _fleet(cloud).hurt(asked.body['kind'], pattern):
            raise Refusal(400, f'no server that boots is called {pattern}')


def _health(cloud, asked) -> Any:
    return {'status': 'ok'}


def _state(cloud, asked) -> Any:
    return cloud.store.tables


def _counts(cloud, asked) -> Any:
    if asked.method == 'DELETE':
        cloud.counts = {}
    return dict(sorted(cloud.counts.items()))


def _settings(cloud, asked) -> dict[str, float]:
    for name, value in (asked.body if asked.method == 'POST' else {}).items():
        if name not in SETTINGS or not isinstance(value, (int, float)):
            raise Refusal(400, f'a setting is a number of {", ".join(SETTINGS)}')
        setattr(cloud.nodes if name == 'signal_seconds' else cloud, name, value)
    return {
        'build_seconds': cloud.build_seconds,
        'delete_seconds': cloud.delete_seconds,
        'signal_seconds': cloud.nodes.signal_seconds,
    }


def _faults(cloud, asked) -> Any:
    if asked.method == 'POST' and asked.body.get('kind') not in faults.AT_ONCE:
        cloud.store.faults.add(asked.body)
    elif asked.method == 'DELETE':
        cloud.store.faults.waiting.clear()
    return cloud.store.faults.waiting


def _images(cloud, asked) -> Any:
    """An image by name: POST says which directories its servers boot from."""
    fleet = _fleet(cloud)
    if asked.method == 'POST':
        given = asked.body
        row = next(iter(cloud.store.find('images', name=given['name'])), None)
        if row is None:
            row = seed.put_image(cloud.store, name=given['name'], disk_format='raw')
        row.update(given.get('properties') or {}, updated_at=now())
        row[fleet.BOOTS_FROM] = [str(path) for path in given['directories']]
        cloud.store.changes += 1
    return {
        row['name']: row[fleet.BOOTS_FROM]
        for row in cloud.store.rows('images')
        if fleet.BOOTS_FROM in row
    }


def _doors(cloud, asked) -> Any:
    """POST lets nodes reach paths of a port of this machine, at an address that is answered."""
    fleet = _fleet(cloud)
    if asked.method == 'POST':
        fleet.doors.open(asked.body['port'], asked.body['path'])
    return {'address': fleet.address, 'ports': fleet.doors.ports}


def _fleet(cloud) -> Any:
    if cloud.nodes.fleet is None:
        raise Refusal(400, 'no server of this cloud boots: it was not started with real nodes')
    return cloud.nodes.fleet


_CONTROLS = {
    'counts': _counts,
    'doors': _doors,
    'faults': _faults,
    'health': _health,
    'images': _images,
    'settings': _settings,
    'state': _state,
}
