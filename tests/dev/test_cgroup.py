"""Control groups that come and go while they are looked at."""

import threading

from magnum_lite_dev.nodes import cgroup


def test_groups_may_go_while_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroup, 'ROOT', tmp_path)
    node = tmp_path / 'cpu' / cgroup.TOP / 'node'
    node.mkdir(parents=True)
    (node / 'cgroup.procs').write_text('7\n')
    done = threading.Event()

    def containers():
        while not done.is_set():
            (node / 'docker' / 'one').mkdir(parents=True)
            (node / 'docker' / 'one').rmdir()
            (node / 'docker').rmdir()

    thread = threading.Thread(target=containers)
    thread.start()
    try:
        assert all(cgroup.pids('node') == {7} for _ in range(2000))
    finally:
        done.set()
        thread.join()
