# shellcheck shell=bash
# What every boot script begins with: stages, and a report to the wait condition whatever happens.
#
# An ERR trap alone misses `exit 1`, an unset variable and a kill; an EXIT trap alone does not know
# the line. Functions called in `if f` or `f && ...` run on after a failure: call them plainly.
set -Eeuo pipefail

# cloud-init runs scripts without it; kubectl and others look for it.
export HOME=/root
stage=start
line=0
command=
why=

report() { # STATUS REASON [DATA]: tell Heat; tries for half a minute, the network may be late
    local signal=/etc/magnum-lite/signal.json url token
    url=$(jq -er .alarm_url "$signal")
    token=$(signal_token "$signal")
    jq -n --arg status "$1" --arg reason "$2" --arg data "${3:-}" --arg id "$(hostname)" \
        '{status: $status, reason: $reason, data: $data, id: $id}' |
        curl -sSf --retry 30 --retry-connrefused --retry-delay 1 --max-time 20 -o /dev/null \
            -X POST -H 'Content-Type: application/json' -H "X-Auth-Token: $token" \
            --data-binary @- "$url"
}

signal_token() { # FILE: a token of the user whom Heat made for this signal; nothing without one
    local url
    url=$(jq -r '.auth_url // "" | rtrimstr("/") | if . == "" or endswith("/v3") then . else . + "/v3" end' "$1")
    [ -n "$url" ] || return 0
    jq '{auth: {identity: {methods: ["password"],
                           password: {user: {id: .user_id, password: .password}}},
                scope: {project: {id: .project_id}}}}' "$1" |
        curl -sSf --retry 30 --retry-connrefused --retry-delay 1 --max-time 20 -o /dev/null -D - \
            -X POST -H 'Content-Type: application/json' --data-binary @- "$url/auth/tokens" |
        tr -d '\r' | sed -n 's/^[Xx]-[Ss]ubject-[Tt]oken: *//p'
}

on_exit() {
    local code=$?
    trap - ERR EXIT
    [ "$code" = 0 ] && return
    report FAILURE "$(hostname): stage $stage, line $line, exit $code: ${why:-$command}" || true
}
trap 'line=$LINENO command=$BASH_COMMAND' ERR
trap on_exit EXIT
trap 'exit 143' TERM INT

enter() { # STAGE: names what is done from here on, for the report
    stage=$1
    echo "stage $stage at $(date +%T.%N)" >&2
}

metadata() { # FILTER: one value of this server's metadata
    curl -sSf --retry 30 --retry-connrefused --retry-delay 1 --max-time 10 \
        http://169.254.169.254/openstack/latest/meta_data.json | jq -er "$1"
}

own_address() { # the fixed address of this server, which its metadata document does not hold
    curl -sSf --retry 30 --retry-connrefused --retry-delay 1 --max-time 10 \
        http://169.254.169.254/latest/meta-data/local-ipv4
}

until_true() { # SECONDS COMMAND...: the only kind of waiting; says what it waited for
    local end=$((SECONDS + $1)) limit=$1
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            why="waited $limit s for: $*"
            return 1
        fi
        sleep 1
    done
}

logged() { # COMMAND...: its last words become the reason when it fails
    local log code=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 || code=$?
    cat "$log" >&2
    [ "$code" = 0 ] || why="$* -> $(tail -n 4 "$log" | tr -s '\n\t ' ' ' | cut -c1-600)"
    rm -f "$log"
    return "$code"
}
