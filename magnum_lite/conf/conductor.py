"""Options of ``[conductor]``: its workers, and when they do what."""

from oslo_config import cfg

OPTIONS = (
    cfg.IntOpt('workers', default=2, min=1, help='Worker processes of magnum-lite-conductor.'),
    cfg.IntOpt('threads', default=16, min=1, help='Steps that one worker takes at a time.'),
    cfg.IntOpt(
        'max_owned',
        default=500,
        min=1,
        help='Operations that one worker owns at a time, most of them waiting for Heat.',
    ),
    cfg.FloatOpt(
        'lease_s',
        default=120,
        min=2,
        help='Seconds after which the operations of a silent worker are taken over. '
        "Galera's nodes have clocks of their own: no less than a minute there.",
    ),
    cfg.FloatOpt(
        'heartbeat_s',
        default=20,
        min=0.5,
        help='Seconds between heartbeats; at most a third of lease_s.',
    ),
    cfg.FloatOpt(
        'poll_min_s',
        default=1,
        min=0.05,
        help='Seconds until the first look at Heat after a change; doubles each time.',
    ),
    cfg.FloatOpt('poll_max_s', default=30, min=0.05, help='Most seconds between looks at Heat.'),
    cfg.FloatOpt(
        'sweep_s',
        default=1,
        min=0.05,
        help='Seconds between looks for operations whose wake was lost.',
    ),
    cfg.IntOpt(
        'outbox_keep_days',
        default=7,
        min=1,
        help='Days after which a worker drops notifications that were sent. Those that were '
        'not are kept.',
    ),
    cfg.FloatOpt(
        'trouble_s',
        default=600,
        min=1,
        help='Seconds for which an operation is tried again while nothing succeeds; any '
        'good answer of the cloud begins them anew. Then it fails.',
    ),
    cfg.FloatOpt(
        'stray_s',
        default=600,
        min=1,
        help='Seconds after which a trust or an application credential is deleted whose '
        'request broke off before it was accepted; more than a request may take.',
    ),
    cfg.FloatOpt(
        'compare_s',
        default=600,
        min=0,
        help='Seconds after which the clusters of a project on which nothing is at work '
        'are compared with the cloud again: one list of its stacks, and one of its '
        'servers. 0: never.',
    ),
    cfg.StrOpt(
        'notification_topic',
        default='magnum_lite_heat',
        help="Topic of Heat's notifications: add it to [oslo_messaging_notifications] "
        "topics in heat.conf. One of our own takes nobody else's messages.",
    ),
    cfg.BoolOpt('listen', default=True, help="Whether to listen to Heat's notifications."),
)
