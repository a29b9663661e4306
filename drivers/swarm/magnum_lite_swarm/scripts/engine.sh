# shellcheck shell=bash
# What a server needs before it is in a swarm, the same for every role. Sourced after boot_lib.sh.
# The variables set here are read by boot_lib.sh and by the scripts that source this.
# shellcheck disable=SC2034

joined_by=/etc/magnum-lite/joined
is_manager=false
answer=/run/magnum-lite-answer.json # of the last call of an API
pki=/etc/docker
token= # never an argument: those are in reports

api() { # CURL OPTION... URL: asks an engine; a refusal is the reason
    local code words=/run/magnum-lite-words
    code=$(umask 077 && curl -sS --noproxy '*' --max-time 60 -o "$answer" -w '%{http_code}' "$@" \
        2>"$words") || code=000
    case $code in
    2??) return 0 ;;
    000) why="${*: -1} does not answer: $(head -n 1 "$words" | cut -c1-200)" ;;
    *) why="${*: -1} answers $code: $(jq -r .message "$answer" 2>/dev/null | cut -c1-400)" ;;
    esac
    echo "$why" >&2
    return 1
}

here() { # PATH: the engine of this server
    api --unix-socket /run/docker.sock "http://engine$1"
}

tell() { # PATH: the engine of this server, with the document on stdin
    api --unix-socket /run/docker.sock -H 'Content-Type: application/json' --data-binary @- \
        "http://engine$1"
}

check_addresses() { # networks of containers hide those of this server that have the same addresses
    local clash
    enter addresses
    clash=$(ip -json -4 route show proto kernel scope link | jq -r \
        --arg overlay "$OVERLAY_ADDRESS_POOL" --arg bridge "$BRIDGE_ADDRESS_POOL" '
        def range: capture("^(?<a>\\d+)\\.(?<b>\\d+)\\.(?<c>\\d+)\\.(?<d>\\d+)/(?<n>\\d+)$")
            | map_values(tonumber) | (((.a * 256 + .b) * 256 + .c) * 256 + .d) as $address
            | ([range(32 - .n)] | reduce .[] as $bit (1; . * 2)) as $size
            | ($address / $size | floor * $size) | [., . + $size - 1];
        [.[] | select(.dev | test("^(docker|br-)") | not) | .dst as $network | $network | range as $own
         | ["overlay_address_pool", $overlay], ["bridge_address_pool", $bridge]
         | .[1] as $pool | ($pool | range) as $its
         | select($its[0] <= $own[1] and $own[0] <= $its[1])
         | "the network \($network) of this server overlaps \(.[0]) \($pool)"][0] // ""')
    [ -z "$clash" ] || { why=$clash && return 1; }
}

close_metadata() { # before the engine starts: user data holds keys that no container may read
    enter metadata
    systemctl daemon-reload
    logged systemctl enable --now magnum-lite-metadata.service
}

start_engine() { # FILTER: with the driver's configuration, and what jq adds to it
    local new=/run/magnum-lite-daemon.json begun
    enter engine
    modprobe -a overlay br_netfilter vxlan 2>/dev/null || true
    jq --arg server "$server" ".labels += [\"magnum-lite.server=\\(\$server)\"] | $1" \
        <<<"$ENGINE" >"$new"
    # One that runs as it should has containers.
    if cmp -s "$new" "$pki/daemon.json" && here /_ping; then return 0; fi
    cp "$new" "$pki/daemon.json"
    systemctl daemon-reload
    logged systemctl enable containerd.service docker.service
    begun=$(date +%s)
    systemctl restart docker.service || {
        why="docker.service does not start -> $(journalctl -q -o cat -u docker.service \
            --since "@$begun" _COMM=dockerd 2>&1 | grep -v level=info | tail -n 3 |
            tr -s '\n\t ' ' ' | cut -c1-600 || true)"
        return 1
    }
    until_true 60 here /_ping
}

start_volume_driver() { # what the image brings; the engine finds it by its socket
    enter volumes
    [ -n "$VOLUME_DRIVER" ] || return 0
    logged systemctl enable --now "$VOLUME_UNIT"
    until_true 120 is_volume_driver "/run/docker/plugins/$VOLUME_DRIVER.sock"
}

is_volume_driver() { # SOCKET
    curl -sSf --max-time 20 --unix-socket "$1" -X POST http://plugin/Plugin.Activate |
        jq -e '.Implements | index("VolumeDriver")'
}

is_member() { # whether this server is in the swarm, and as a manager if its script is one's
    here /info || return 1
    jq -e --argjson manager "$is_manager" '.Swarm
        | .LocalNodeState == "active" and (.ControlAvailable or ($manager | not))' "$answer" && return 0
    why="the engine says of the swarm: $(jq -r '.Swarm | "\(.LocalNodeState) \(.Error)"' "$answer")"
    echo "$why" >&2
    return 1
}

join_swarm() { # ADDRESS...: by $token and any of the managers at these addresses
    # An attempt that took too long goes on in the engine.
    here /info || return 1
    case $(jq -r .Swarm.LocalNodeState "$answer") in active | pending) return 0 ;; esac
    jq -n --arg token "$token" --arg address "$address" --arg availability "$AVAILABILITY" '
        {ListenAddr: "0.0.0.0:2377", AdvertiseAddr: $address, JoinToken: $token,
         Availability: $availability, RemoteAddrs: [$ARGS.positional[] | . + ":2377"]}' \
        --args "$@" | tell /swarm/join
}

prepare_node() { # PURPOSE FILE...: as for enrol
    enter image
    # Nothing can be reported without them: the console tells it.
    need curl jq openssl
    enter identity
    name=$(metadata .name)
    server=$(metadata .uuid)
    address=$(own_address)
    why='this server has no IPv4 address'
    [ -n "$address" ]
    why=
    prepare_proxy docker.service "$(tr ' ' , <<<"$MANAGERS")"
    enrol "$@"
    enter image
    local programs=(containerd dockerd iptables ip runc)
    [ "$CONTAINER_VOLUME" = false ] || programs+=(blkid lsblk mkfs.ext4)
    [ "$is_manager" = false ] || programs+=(socat)
    need "${programs[@]}"
    check_addresses
    close_metadata
    mount_volume /var/lib/docker docker.service
}

end_boot() { # in the swarm: what was for joining alone goes
    enter ready
    until_true 120 is_member
    here /version
    touch "$joined_by"
    report SUCCESS "$name: in the swarm after $SECONDS s" "$(jq -r .Version "$answer")"
}
