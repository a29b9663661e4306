"""What is kept of answers, and what users take for one."""

import json

from tools.chaos.answers import Answer, Answers


def test_every_answer_is_in_the_file_and_counted(tmp_path):
    answers = Answers(tmp_path / 'answers')
    for status in (202, 409, 503, None, 204):
        answers.keep(Answer('p', 'resize', 'c', 'uuid', status, 'req-1'))
    assert answers.counts() == {'accepted': 2, 'refused': 1, 'failed': 1, 'unknown': 1}
    kept = [json.loads(line) for line in (tmp_path / 'answers').read_text().splitlines()]
    assert [answer['status'] for answer in kept] == [202, 409, 503, None, 204]
