"""Images: found by id or name; what is uploaded is forgotten."""

from magnum_lite_dev.sim_cloud import seed
from magnum_lite_dev.sim_cloud.request import Reply


def handle(cloud, request) -> Reply:
    """(status, reply) of the image API.

    :raises Refusal: 404, no such image.
    """
    path = request.path
    if not path:
        return 300, {
            'versions': [
                {
                    'id': 'v2.16',
                    'status': 'CURRENT',
                    'links': [{'rel': 'self', 'href': f'{request.base}/v2/'}],
                }
            ]
        }
    if path[1:2] == ('schemas',):
        return 200, {'name': path[2], 'properties': {}, 'additionalProperties': {'type': 'string'}}
    if path[1:2] != ('images',):
        raise request.unknown()
    if len(path) > 3 and request.method == 'PUT':
        cloud.store.get('images', path[2])
        return 204, None
    if len(path) == 3:
        return _one(cloud.store, request, path[2])
    if request.method == 'POST':
        return 201, seed.put_image(cloud.store, **request.body)
    wanted = {
        key: request.query[key] for key in ('name', 'id', 'os_distro') if key in request.query
    }
    rows = [] if request.is_page_after_the_last else cloud.store.find('images', **wanted)
    return 200, {'images': rows}


def _one(store, request, ident) -> Reply:
    if request.method == 'DELETE':
        store.drop('images', ident)
        return 204, None
    return 200, store.get('images', ident)
