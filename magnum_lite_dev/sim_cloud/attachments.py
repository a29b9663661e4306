"""Volumes at servers: which device one gets, and what Nova says of it."""

import string

from magnum_lite_dev.sim_cloud.request import Refusal, Reply
from magnum_lite_dev.sim_cloud.store import Row


def handle(cloud, request, row) -> Reply:
    """(status, reply) of ``/servers/ID/os-volume_attachments…``; the path begins after that word.

    :raises Refusal: 404, no such volume, or not at this server.
    """
    store = cloud.store
    if request.method == 'POST':
        volume = store.get('volumes', request.body['volumeAttachment']['volumeId'])
        attach(cloud, row, volume)
    elif not request.path:
        return 200, {'volumeAttachments': [_shown(row, each) for each in of_server(store, row)]}
    else:
        volume = store.get('volumes', request.path[0])
        if volume not in of_server(store, row):
            raise Refusal(404, f'volume {volume["id"]} is not attached')
        if request.method == 'DELETE':
            detach(cloud, row, volume)
            return 202, None
    return 200, {'volumeAttachment': _shown(row, volume)}


def of_server(store, row) -> list[Row]:
    """The volumes that a server has."""
    return [
        volume
        for volume in store.rows('volumes')
        if any(each['server_id'] == row['id'] for each in volume['attachments'])
    ]


def attach(cloud, row, volume) -> None:
    """Give a server a volume, as its next device."""
    taken = {each['attachments'][0]['device'] for each in of_server(cloud.store, row)}
    letters = (f'/dev/vd{letter}' for letter in string.ascii_lowercase[1:])
    volume.update(
        status='in-use',
        attachments=[
            {
                'server_id': row['id'],
                'id': volume['id'],
                'attachment_id': volume['id'],
                'volume_id': volume['id'],
                'device': next(device for device in letters if device not in taken),
            }
        ],
    )
    _show(cloud, row)


def detach(cloud, row, volume) -> None:
    """Take a volume from a server."""
    volume.update(status='available', attachments=[])
    _show(cloud, row)


def _show(cloud, row) -> None:
    if row.get('_has_node'):
        cloud.nodes.fleet.show_volumes(row)


def _shown(row, volume) -> Row:
    return {
        'id': volume['id'],
        'volumeId': volume['id'],
        'serverId': row['id'],
        'device': next((each['device'] for each in volume['attachments']), '/dev/vdb'),
    }
