# shellcheck shell=bash
# What a server needs before kubeadm runs, the same for every role. Sourced after boot_lib.sh.
# The variables set here are read by boot_lib.sh and by the scripts that source this.
# shellcheck disable=SC2034

joined_by=/etc/kubernetes/kubelet.conf

telling() { # errors, or else the last four lines
    local words
    # kubeadm ends with advice and kubectl begins with its log, which would fill what there is.
    words=$(grep -a -v -e '^To see the stack trace' -e '^[EIW][0-9]\{4\} ' || true)
    grep -a -F '[ERROR ' <<<"$words" || tail -n 4 <<<"$words"
}

check_image() { # what no boot can do without, all of it in one report; kubeadm looks for its own
    local file item also_lacking='' programs=()
    enter image
    # Debian's package has them where neither containerd nor add-ons look; those bring flannel.
    mkdir -p /opt/cni/bin
    for file in /usr/lib/cni/*; do
        case ${file##*/} in flannel | '*') continue ;; esac
        [ -e "/opt/cni/bin/${file##*/}" ] || ln -sf "$file" /opt/cni/bin/
    done
    for item in $CNI_PLUGINS; do
        [ -x "/opt/cni/bin/$item" ] || also_lacking+=", the CNI plugin $item"
    done
    [ "$CONTAINER_VOLUME" = false ] || programs=(blkid lsblk mkfs.ext4)
    need containerd containerd-shim-runc-v2 ctr runc kubeadm kubelet kubectl iptables ip \
        "${programs[@]}"
}

prepare_kernel() {
    enter kernel
    # Built in, or not for us to load: preflight says so if one is really missing.
    modprobe -a overlay br_netfilter 2>/dev/null || true
    printf '%s\n' overlay br_netfilter >/etc/modules-load.d/magnum-lite.conf
    printf '%s\n' 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/90-magnum-lite.conf
    logged sysctl -w net.ipv4.ip_forward=1
    keep_swap_off
}

keep_swap_off() { # now and at each boot, whoever brings it: fstab, a partition, a unit of zram
    swapoff -a || true
    systemctl mask swap.target || true
    mkdir -p /etc/systemd/system/kubelet.service.d
    printf '[Service]\nExecStartPre=-/sbin/swapoff -a\n' \
        >/etc/systemd/system/kubelet.service.d/90-magnum-lite-swap.conf
}

close_metadata() { # before the kubelet starts: user data holds keys that no pod may read
    enter metadata
    systemctl daemon-reload
    logged systemctl enable --now magnum-lite-metadata.service
}

registry() { # HOST URL: where containerd asks for the images of a registry
    mkdir -p "/etc/containerd/certs.d/$1"
    printf '[host."%s"]\n  capabilities = ["pull", "resolve"]\n' "$2" \
        >"/etc/containerd/certs.d/$1/hosts.toml"
}

choose_sandbox() { # the image that holds a pod: containerd's own choice is not that of kubeadm
    local list
    sandbox=$SANDBOX_IMAGE
    [ -z "$sandbox" ] || return 0
    list=$(kubeadm config images list --kubernetes-version "$installed" \
        ${IMAGE_REPOSITORY:+--image-repository "$IMAGE_REPOSITORY"})
    sandbox=$(sed -n '/\/pause:/{p;q}' <<<"$list")
    [ -n "$sandbox" ] || { why="kubeadm $installed lists no pause image" && return 1; }
}

fetch_images() { # NAME...: of pods; one that cannot be had is told by its name, before it is missed
    local image
    enter images
    for image in "$@"; do
        # ctr takes full names alone.
        case ${image%%/*} in *.* | *:* | localhost) ;; *) image=docker.io/$image ;; esac
        persist "$(at_most 300)" has_image "$image"
    done
}

has_image() { # NAME: whether containerd has it or can fetch it
    local words
    ! ctr --namespace k8s.io images list --quiet | grep -xF "$1" || return 0
    words=$(ctr --namespace k8s.io images pull --hosts-dir /etc/containerd/certs.d "$1" \
        2>&1 >/dev/null) && return 0
    echo "$words" >&2
    words=${words##*$'\n'}
    why="$1 -> ${words:0:600}"
    # shellcheck disable=SC2154 # boot_lib.sh sets it
    case $words in *': not found' | *'HTTP response to HTTPS client') return "$hopeless" ;; esac
    return 1
}

prepare_runtime() {
    enter runtime
    local version config=/etc/containerd/config.toml
    version=$(containerd --version | sed -n 's/.* v\{0,1\}\([0-9]*\)\.[0-9]*\..*/\1/p')
    mkdir -p /etc/containerd/certs.d
    # A drop-in would replace the whole section of CRI in 1.x, so the whole file is ours.
    case $version in
    1) cp /usr/local/lib/magnum-lite/containerd_v2.toml "$config" ;;
    *) cp /usr/local/lib/magnum-lite/containerd_v3.toml "$config" ;;
    esac
    [ "$CGROUP_DRIVER" = systemd ] || sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' "$config"
    choose_sandbox
    # Appended: the last table of either file is the one it belongs to.
    case $version in
    1) printf '  sandbox_image = "%s"\n' "$sandbox" >>"$config" ;;
    *) printf '  sandbox = "%s"\n' "$sandbox" >>"$config" ;;
    esac
    [ -z "$INSECURE_REGISTRY" ] || registry "$INSECURE_REGISTRY" "http://$INSECURE_REGISTRY"
    [ -z "$REGISTRY_MIRROR" ] || registry _default "$REGISTRY_MIRROR"
    logged systemctl enable containerd.service kubelet.service
    logged systemctl restart containerd.service
    until_true 60 test -S /run/containerd/containerd.sock
}

keep_certificates() { # whose end nothing else prevents
    enter certificates
    systemctl daemon-reload
    logged systemctl enable --now magnum-lite-certificates.timer
}

check_version() { # the image brings the programs; a wish for another version ends here
    enter version
    installed=$(kubeadm version -o short)
    if [ -n "$KUBE_TAG" ] && [ "$KUBE_TAG" != "$installed" ]; then
        why="the image has Kubernetes $installed, kube_tag wants $KUBE_TAG: use another image"
        return 1
    fi
    if [ "$(printf '%s\n' v1.31.0 "$installed" | sort -V | head -n 1)" != v1.31.0 ]; then
        why="the image has Kubernetes $installed, this driver needs v1.31 or later: use another image"
        return 1
    fi
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
    prepare_proxy containerd.service "$API_INTERNAL"
    enrol "$@"
    check_image
    prepare_kernel
    close_metadata
    check_version
    mount_volume /var/lib/containerd containerd.service
    prepare_runtime
}
