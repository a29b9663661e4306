#!/bin/bash
# Answers one request of a node that has shown a certificate, by the token with which workers join;
# nothing that the request says matters. socat runs it, with the connection as stdin and stdout.
set -euo pipefail

# To the end of what is asked: a connection that is closed before is reset.
while IFS= read -r -t 10 line && [ "${#line}" -gt 1 ]; do :; done
answer=$(curl -sS --max-time 20 --unix-socket /run/docker.sock http://engine/swarm) || answer='{}'
if token=$(jq -er .JoinTokens.Worker <<<"$answer"); then
    status='200 OK'
    body=$(jq -nc --arg token "$token" '{token: $token}')
else
    status='503 Service Unavailable'
    body=$(jq -c '{message: (.message // "the engine does not answer")}' <<<"$answer")
fi
printf 'HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' \
    "$status" "${#body}" "$body"
