"""Answers of the service against its OpenAPI document."""

import jsonschema
import webob

from magnum_lite.api import endpoint, openapi


class Checked:
    """WSGI middleware that fails a test when an answer is not as the document says."""

    def __init__(self, application):
        self._application = application
        self._document = openapi.document('')

    def __call__(self, environ, start_response):
        request = webob.Request(environ)
        method, path = request.method, request.path_info
        response = request.get_response(self._application)
        self.check(method, path, response)
        return response(environ, start_response)

    def check(self, method, path, response):
        """One answer."""
        known = _known(method, path)
        if known is None:
            return
        place = known.path if known.path in ('/', '/v1') else f'/v1{known.path}'
        responses = self._document['paths'][place][method.lower()]['responses']
        status = str(response.status_int)
        assert status in responses, f'{method} {place}: {status} is not in the document'
        said = self._resolved(responses[status])
        if 'content' not in said:
            assert not response.body or status == '503', (method, place, status)
            return
        self._validator(said['content']['application/json']['schema']).validate(response.json)

    def _resolved(self, said):
        if '$ref' not in said:
            return said
        found = self._document
        for name in said['$ref'].split('/')[1:]:
            found = found[name]
        return found

    def _validator(self, schema):
        whole = {**schema, 'components': self._document['components']}
        return jsonschema.Draft202012Validator(
            whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        )


def _known(method, path):
    """The endpoint that a request means; None when it means none."""
    segments = path.removesuffix('/').split('/')[1:] or ['']
    if len(segments) > 1 and segments[0] == 'v1':
        del segments[0]
        if segments[0] == 'v1':
            return None
    found = endpoint.find(method, segments)
    return found[0] if found else None
