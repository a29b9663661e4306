"""Options of ``[database]`` beside those of oslo.db: how long it may take."""

from oslo_config import cfg

OPTIONS = (
    cfg.IntOpt(
        'connect_s',
        default=5,
        min=1,
        help='Seconds that connecting to the database may take. What the URL of the '
        'connection says itself wins, here and for the other bounds.',
    ),
    cfg.IntOpt(
        'statement_s',
        default=30,
        min=1,
        help='Seconds until the answer to a statement: the server gives the statement up '
        '(MariaDB, PostgreSQL), and a second later its connection counts as dead. '
        'Migrations have no bound. Less than a quarter of [conductor] lease_s lets '
        'leases survive a connection that goes silent.',
    ),
    cfg.IntOpt(
        'lock_wait_s',
        default=5,
        min=1,
        help='Seconds that a statement waits for rows that others hold; the transaction '
        'is tried three times.',
    ),
    cfg.IntOpt(
        'idle_transaction_s',
        default=10,
        min=1,
        help='Seconds after which the server (MariaDB, PostgreSQL) ends a transaction whose '
        'process has gone silent, and with it frees the rows that it holds.',
    ),
)
