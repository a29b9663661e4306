# shellcheck shell=bash
# What every boot script begins with: stages, and a report to the wait condition whatever happens.
# Each sources it before the driver's environment file, and says by $joined_by what only a node has
# that is a member of its cluster.
#
# An ERR trap alone misses `exit 1`, an unset variable and a kill; an EXIT trap alone does not know
# the line. Functions called in `if f` or `f && ...` run on after a failure: call them plainly.
set -Eeuo pipefail

# cloud-init runs scripts without it; clients look for it.
export HOME=/root
stage=start
line=0
command=
why=
hopeless=42 # what a command ends with that need not be tried again
server=     # id in Nova, once the metadata service has told it
joined_by=  # a file that is there once this node has joined
longest_pause=30000 # milliseconds, between two requests of persist

report() { # STATUS REASON [DATA]: tell the service; or Heat, where nodes do not enrol
    if [ -n "${ENROLMENT_URL:-}" ]; then
        [ -s /etc/magnum-lite/enrolment_proof ] || return 1
        persist 1200 tell_service "$1" "$2" "${3:-}"
        return
    fi
    local signal=/etc/magnum-lite/signal.json url token
    url=$(jq -er .alarm_url "$signal")
    token=$(signal_token "$signal")
    jq -n --arg status "$1" --arg reason "$2" --arg data "${3:-}" --arg id "$(hostname)" \
        '{status: $status, reason: $reason, data: $data, id: $id}' |
        curl -sSf --retry 6 --retry-connrefused --max-time 20 -o /dev/null \
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
        curl -sSf --retry 6 --retry-connrefused --max-time 20 -o /dev/null -D - \
            -X POST -H 'Content-Type: application/json' --data-binary @- "$url/auth/tokens" |
        tr -d '\r' | sed -n 's/^[Xx]-[Ss]ubject-[Tt]oken: *//p'
}

on_exit() {
    local code=$? reason
    trap - ERR EXIT
    [ "$code" = 0 ] && return
    reason="$(hostname): stage $stage, line $line, exit $code: ${why:-$command}"
    case $reason in *'server gave HTTP response to HTTPS client'*)
        reason+=' (a registry without TLS is to be named by insecure_registry)' ;;
    esac
    echo "magnum-lite: $reason" >/dev/console || true
    report FAILURE "$reason" || true
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

at_most() { # SECONDS: as many, or what is left until nobody listens to this boot any more
    # The last tenth is for the report, and for what was before this script.
    local left=$((BOOT_LIMIT_S * 9 / 10 - SECONDS))
    [ "$left" -gt 1 ] || left=1
    echo $(($1 < left ? $1 : left))
}

until_true() { # SECONDS COMMAND...: tries again each second; a failure keeps the last words
    local began=$SECONDS limit log code words
    limit=$(at_most "$1")
    shift
    log=$(mktemp)
    while :; do
        code=0
        "$@" >"$log" 2>&1 || code=$?
        case $code in 0 | "$hopeless") break ;; esac
        [ $((SECONDS - began)) -lt "$limit" ] || break
        sleep 1
    done
    cat "$log" >&2
    words=$(last_words "$log")
    [ "$code" = 0 ] || why="waited $((SECONDS - began)) s for: $*${words:+ -> $words}"
    rm -f "$log"
    return "$code"
}

last_words() { # FILE: what of it tells, as one line
    telling <"$1" | tr -s '\n\t ' ' ' | sed 's/^ //; s/ $//' | cut -c1-600 || true
}

telling() { # the lines of stdin that say why something failed; a driver may know better
    tail -n 4
}

persist() { # SECONDS COMMAND...: asks others again after 1 s, 2 s and so on up to $longest_pause ms
    local end=$((SECONDS + $1)) limit=$1 pause=1000 part code
    shift
    why=
    while :; do
        code=0
        "$@" || code=$?
        case $code in 0 | "$hopeless") break ;; esac
        if [ "$SECONDS" -ge "$end" ]; then
            why="gave up after $limit s${why:+: $why}"
            break
        fi
        # Nodes that boot together must not ask together: between half of the pause and all of it.
        part=$((pause / 2 + RANDOM % (pause / 2 + 1)))
        sleep "$((part / 1000)).$(printf '%03d' $((part % 1000)))"
        pause=$((pause * 2 < longest_pause ? pause * 2 : longest_pause))
    done
    [ "$code" != 0 ] || why=
    return "$code"
}

service() { # PATH ANSWER: posts the document on stdin to the service; a refusal is the reason
    local code
    code=$(umask 077 && curl -sS --max-time 60 -o "$2" -w '%{http_code}' -X POST \
        -H 'Content-Type: application/json' --data-binary @- "$ENROLMENT_URL/v1$1") || code=000
    case $code in
    2??) return 0 ;;
    000) why="$ENROLMENT_URL does not answer" ;;
    *) why="$ENROLMENT_URL answers $code: $(jq -r '.errors[0].detail' "$2" 2>/dev/null | cut -c1-300)" ;;
    esac
    return 1
}

enrol() { # PURPOSE FILE...: fetches secrets; Nova shows that it is this server who asks
    local proof=/etc/magnum-lite/enrolment_proof answer=/run/magnum-lite-enrolment.json
    enter enrol
    # Without a place to ask, user data has them; and they are for the first boot alone.
    if [ -z "$ENROLMENT_URL" ] || [ -e "$joined_by" ]; then return 0; fi
    # Kept, since a server is given its secrets by the proof that it gave first.
    [ -s "$proof" ] || (umask 077 && openssl rand -hex 32 >"$proof")
    persist "$(at_most 600)" show_proof "$(tr -d '\n' <"$proof" | sha256sum | cut -d ' ' -f 1)"
    persist "$(at_most 600)" ask_for_secrets "$proof" "$answer"
    while [ "$#" -gt 0 ]; do
        (umask 077 && jq -er --arg purpose "$1" '.secrets[$purpose]' "$answer" >"$2")
        shift 2
    done
    rm -f "$answer"
}

show_proof() { # HASH: becomes the password that Nova keeps of this server, which takes only one
    local url=http://169.254.169.254/openstack/latest/password
    why="$url does not take the proof"
    curl -sSf --max-time 20 -o /dev/null -X POST --data-binary "$1" "$url" ||
        [ "$(curl -sSf --max-time 20 "$url")" = "$1" ]
}

tell_service() { # STATUS REASON DATA
    service /enrolments/reports /run/magnum-lite-report.json < <(
        jq -n --arg cluster "$CLUSTER_UUID" --arg server "$server" --arg status "$1" \
            --arg reason "$2" --arg data "$3" --rawfile proof /etc/magnum-lite/enrolment_proof \
            '{cluster: $cluster, server: $server, proof: ($proof | rtrimstr("\n")),
              status: $status, reason: $reason[:2000], data: $data[:255]}')
}

ask_for_secrets() { # PROOF ANSWER
    # No pipe: what the service says has to stay in this shell.
    service /enrolments "$2" < <(
        jq -n --arg cluster "$CLUSTER_UUID" --arg server "$server" --rawfile proof "$1" \
            '{cluster: $cluster, server: $server, proof: ($proof | rtrimstr("\n"))}')
}

logged() { # COMMAND...: its last words become the reason when it fails
    local log code=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 || code=$?
    cat "$log" >&2
    [ "$code" = 0 ] || why="$* -> $(last_words "$log")"
    rm -f "$log"
    return "$code"
}

need() { # PROGRAM...: fails with the names of those that the image lacks, and $also_lacking
    local item lacking=
    for item in "$@"; do
        command -v "$item" >/dev/null || lacking+=", $item"
    done
    lacking+=${also_lacking-}
    [ -n "$lacking" ] || return 0
    why="the image lacks ${lacking#, }"
    return 1
}

mount_volume() { # DIRECTORY UNIT: the empty disk becomes the home of containers, which a unit needs
    enter volume
    [ "$CONTAINER_VOLUME" = true ] || return 0
    # It may be attached late.
    if ! blkid -L containers >/dev/null; then
        until_true 300 empty_disk
        logged mkfs.ext4 -q -L containers "$(empty_disk)"
    fi
    mkdir -p "$1" "/etc/systemd/system/$2.d"
    # The boot goes on without the volume, so that somebody can look; the unit waits for it.
    grep -q '^LABEL=containers ' /etc/fstab ||
        echo "LABEL=containers $1 ext4 defaults,nofail,x-systemd.device-timeout=5min 0 2" >>/etc/fstab
    printf '[Unit]\nRequiresMountsFor=%s\n' "$1" >"/etc/systemd/system/$2.d/magnum-lite-volume.conf"
    systemctl daemon-reload
    mountpoint -q "$1" || logged mount "$1"
}

empty_disk() { # the first disk without partitions, file system or use
    lsblk --json --paths --output NAME,TYPE,FSTYPE,MOUNTPOINT |
        jq -er '[.blockdevices[] | select(.type == "disk" and .fstype == null
                 and .mountpoint == null and .children == null)][0].name'
}

in_url() { # ADDRESS: as the host of a URL
    case $1 in
    *:*) echo "[$1]" ;;
    *) echo "$1" ;;
    esac
}

own_networks() { # the networks that this server is in, a comma before each
    ip -json -4 route show proto kernel scope link | jq -r '[.[].dst | "," + .] | add // ""'
}

unit_variable() { # NAME TEXT: as systemd reads it back, which expands what begins with a %
    local text=${2//\\/\\\\}
    text=${text//\"/\\\"}
    printf 'Environment="%s=%s"\n' "$1" "${text//\%/%%}"
}

prepare_proxy() { # UNIT ADDRESS: for this script and a unit; what is at the address is inside
    enter proxy
    [ -n "$HTTP_PROXY$HTTPS_PROXY" ] || return 0
    # What runs here may hand these on, and has to reach every node.
    [ "$NO_PROXY" = '*' ] || NO_PROXY="$NO_PROXY,$2$(own_networks)"
    export HTTP_PROXY HTTPS_PROXY NO_PROXY
    export http_proxy="$HTTP_PROXY" https_proxy="$HTTPS_PROXY" no_proxy="$NO_PROXY"
    mkdir -p "/etc/systemd/system/$1.d"
    {
        echo '[Service]'
        unit_variable HTTP_PROXY "$HTTP_PROXY"
        unit_variable HTTPS_PROXY "$HTTPS_PROXY"
        unit_variable NO_PROXY "$NO_PROXY"
    } >"/etc/systemd/system/$1.d/magnum-lite-proxy.conf"
    systemctl daemon-reload
}
