#!/bin/bash
# Stands in for every program that changes a system, and for the engines that curl would ask.
name=${0##*/}
echo "$name $*" >>"$STUB_LOG"
output=$(sed -n 's/.* -o \([^ ]*\).*/\1/p' <<<"$*")
url=${*: -1}
say() { # CODE BODY
    printf '%s' "$2" >"$output"
    printf '%s' "$1"
}
state() { cat "$STUB_DIR/state" 2>/dev/null || echo inactive; }
swarm() { # STATE CONTROLS
    jq -nc --arg state "$1" --argjson controls "$2" \
        '{Swarm: {LocalNodeState: $state, ControlAvailable: $controls, Error: ""}}'
}
case "$name $*" in
curl*openstack/latest/meta_data.json*) echo '{"name": "node-0", "uuid": "u"}' ;;
curl*latest/meta-data/local-ipv4*) cat "$STUB_DIR/address" ;;
curl*auth/tokens*) cat >/dev/null; printf 'HTTP/1.1 201\r\nX-Subject-Token: t0k\r\n' ;;
curl*/signal) cat >>"$STUB_DIR/signals.json" ;;
curl*/v1/enrolments) cat >"$STUB_DIR/asked.json"; say 201 "$(cat "$STUB_DIR/bundle.json")" ;;
curl*/v1/enrolments/reports) cat >>"$STUB_DIR/signals.json"; printf 204 ;;
curl*openstack/latest/password) ;;
curl*Plugin.Activate) cat "$STUB_DIR/plugin" ;;
curl*http://engine/_ping) [ ! -e "$STUB_DIR/silent" ] || exit 7; say 200 OK ;;
curl*http://engine/info)
    case $(state) in active) say 200 "$(swarm active true)" ;; *) say 200 "$(swarm inactive false)" ;; esac ;;
curl*http://engine/version) say 200 '{"Version": "20.10.24+dfsg1"}' ;;
curl*http://engine/swarm/init | curl*http://engine/swarm/join)
    cat >"$STUB_DIR/${url##*/}.json"
    if [ -e "$STUB_DIR/refusal" ]; then say 400 "$(cat "$STUB_DIR/refusal")"; else
        echo active >"$STUB_DIR/state"
        say 200 '"id"'
    fi ;;
curl*https://*)
    path=${url#https://}
    given="$STUB_DIR/others/$(tr '/?&=:' _____ <<<"$path")"
    [[ $* != *--data-binary* ]] || cat >"$STUB_DIR/told.json"
    [ -e "$given" ] || { echo 'curl: (7) no route' >&2 && exit 7; }
    say 200 "$(cat "$given")" ;;
'ip -json -4 route'*) cat "$STUB_DIR/routes" ;;
'systemctl restart docker.service') [ ! -e "$STUB_DIR/journal" ] || exit 1 ;;
journalctl*) cat "$STUB_DIR/journal" ;;
esac
exit 0
