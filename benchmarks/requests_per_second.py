"""Requests per second and statements per request, on MariaDB with two API workers.

1000 clusters in four projects; eight callers, each with one request under way. The creation is
compared with the inserts that it makes, by plain SQLAlchemy in one transaction.
"""

import contextlib
import statistics
import time

import sqlalchemy as sa
import webob

from benchmarks import load
from benchmarks.rows import Copies, seed
from benchmarks.stage import is_quick, say, stage, table
from magnum_lite.api.app import make_app
from magnum_lite.conductor.registry import Registry
from magnum_lite.db.engine import Database

PROJECTS = ('red', 'green', 'blue', 'grey')
# What upstream 23.0.0 did on another machine (requests/s, statements); it cannot run here.
UPSTREAM = {'show': (191, 13), 'list 100': (14.6, 349), 'detail 100': (7, 307)}
LIMITS = {'show': (4, 3), 'list 100': (10, 4), 'detail 100': (20, 4), 'create': (None, 12)}


def main():
    """Print the figures."""
    quick = is_quick(__doc__)
    seconds, clusters = (1, 400) if quick else (10, 1000)
    with stage(conductors=0, api_workers=2) as running:
        calls = _prepare(running, clusters)
        found = {name: _statements(running, found[0]) for name, found in calls.items()}
        rows = [_row(running, name, calls[name], found[name], seconds) for name in calls]
        table(
            (
                'request',
                'req/s',
                'p50 ms',
                'p99 ms',
                'clients, cores',
                'statements',
                'budget',
                'upstream req/s',
                'statements',
                'ratio',
                'budget',
            ),
            rows,
        )
        say("Upstream's figures are carried over from another machine, not measured here.")
        _creation(
            running, calls['create'], transactions=50 if quick else 400, seconds=1 if quick else 5
        )


def _prepare(running, clusters):
    """{name: calls} over seeded clusters."""
    database = Database(running.conf)
    Registry().publish(database)
    templates = {project: running.service.client(project).template() for project in PROJECTS}
    made = seed(database, templates, clusters)
    database.dispose()
    calls = {name: [] for name in LIMITS}
    for project, template in templates.items():
        token = f'demo:{project}:member,reader'
        calls['show'] += [load.Call('GET', f'/v1/clusters/{uuid}', token) for uuid in made[project]]
        for name, path in (('list 100', ''), ('detail 100', '/detail')):
            calls[name].append(load.Call('GET', f'/v1/clusters{path}?limit=100', token))
        calls['create'].append(
            load.Call(
                'POST',
                '/v1/clusters',
                token,
                {
                    'name': 'made',
                    'cluster_template_id': template,
                    'keypair': 'demo',
                    'labels': {'kube_tag': 'v1.36.2'},
                },
            )
        )
    return calls


def _statements(running, call):
    """How many SQL statements a request takes, second time round, in this process."""
    application = make_app(running.conf)
    seen = []
    sa.event.listen(
        application.service.db.engine,
        'before_cursor_execute',
        lambda c, cursor, statement, *rest: seen.append(statement),
    )
    with contextlib.closing(application):
        for _ in range(2):
            seen.clear()
            response = _request(call).get_response(application)
            assert response.status_int < 300, response.text
    return len([statement for statement in seen if not statement.startswith('BEGIN')])


def _request(call):
    request = webob.Request.blank(
        call.path,
        method=call.method,
        headers={'X-Auth-Token': call.token, 'OpenStack-API-Version': 'container-infra latest'},
        environ={'REMOTE_ADDR': '127.0.0.1'},
    )
    if call.body is not None:
        request.json = call.body
        request.content_type = 'application/json'
    return request


def _row(running, name, calls, statements, seconds):
    load.run(running.service.url, calls, seconds=min(seconds, 2))  # caches and pools fill
    result = load.run(running.service.url, calls, seconds=seconds)
    least, most = LIMITS[name]
    rate, theirs = UPSTREAM.get(name, (None, '-'))
    return (
        name,
        f'{result.rate:.0f}',
        f'{result.median_ms:.1f}',
        f'{result.slow_ms:.1f}',
        f'{result.client_cores:.2f}',
        statements,
        f'<= {most}',
        rate or '-',
        theirs,
        f'{result.rate / rate:.1f}x' if rate else '-',
        f'>= {least}x' if least else '-',
    )


def _creation(running, calls, *, transactions, seconds):
    """One caller against one inserter, who goes before and after."""
    client = running.service.client(PROJECTS[0])
    copies = Copies(running.database, client.create(calls[0].body['cluster_template_id']))
    with contextlib.closing(copies):
        _times(copies, transactions // 10)
        before = _times(copies, transactions // 2)
        ours = load.run(running.service.url, calls, seconds=seconds, processes=1, connections=1)
        reference_ms = 1000 * statistics.median(before + _times(copies, transactions // 2))
    say(
        f'POST by one caller {ours.median_ms:.2f} ms; the same inserts by SQLAlchemy in one '
        f'transaction {reference_ms:.2f} ms; ratio {ours.median_ms / reference_ms:.2f} '
        f'(budget <= 2)'
    )


def _times(copies, count):
    found = []
    for _ in range(count):
        began = time.perf_counter()
        copies.insert()
        found.append(time.perf_counter() - began)
    return found


if __name__ == '__main__':
    main()
