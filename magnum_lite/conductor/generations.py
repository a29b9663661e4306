"""New generations of node groups beside those that they have, as an operation makes them."""

from dataclasses import replace

from magnum_lite.conductor import resolve
from magnum_lite.db import claims, generations
from magnum_lite.db.engine import Database
from magnum_lite.objects import Operation


def begun(database: Database, operation: Operation, rows: resolve.Rows) -> resolve.Rows:
    """The rows, in which the generations are noted that the operation makes: before anything of
    them is made, and with what the groups have until then.

    :raises LostClaim: as ``claims.fenced``.
    :raises Invalid: as ``resolve.spec``.
    """
    if not rows.begins:
        return rows
    asking = Operation.new(cluster_id=operation.cluster_id, kind='update')  # never a row
    with database.read() as connection:
        before = resolve.read(connection, asking)
    made_of: dict[str, generations.States] = {uuid: {} for uuid in rows.begins}
    for state, spec in (
        (generations.CURRENT, resolve.spec(before, asking, {})),
        (generations.COMING, resolve.spec(rows, operation, {})),
    ):
        for group in spec.node_groups:
            if group.uuid in made_of:
                made_of[group.uuid][state] = group.generation, resolve.facts(spec, group)
    database.write(claims.fenced, operation, generations.begin, operation.cluster_id, made_of)
    with database.read() as connection:
        return replace(rows, generations=generations.of(connection, operation.cluster_id))
