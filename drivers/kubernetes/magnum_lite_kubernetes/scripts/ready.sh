# shellcheck shell=bash
# Whether pods run on this node, and what Kubernetes says where they do not. Sourced after
# boot_lib.sh.
# The variables in single quotes are those of jq.
# shellcheck disable=SC2016
missing_since=

# Input: a Node. Output: nothing, or why it is not Ready.
node_trouble='[.status.conditions[]? | select(.type == "Ready")][0] | select(.status != "True")
    | "Node \($node): \(.message // "has not said yet how it is")"'

# Input: a List of pods, with events where those may be read. Output: nothing where each of $wanted
# (NAMESPACE/LABEL=VALUE) has a pod and those on $node are Ready; else whether an image cannot be
# had, and what is wrong, with other pods at the end.
pod_trouble='def trouble($events): . as $pod
    | [((.status.initContainerStatuses // []) + (.status.containerStatuses // []))[]
       | select(.ready | not)] as $containers
    | [$containers[] | . as $container | (.state.waiting // .state.terminated) | select(.reason)
       | select(.reason | IN("ContainerCreating", "PodInitializing", "Completed") | not)
       | "image \($container.image): \(.reason): \(.message // "exit \(.exitCode)")"
         + ($container.lastState.terminated | if . then
            " (ended before: \(.reason), exit \(.exitCode))" else "" end)][0] as $said
    | [.status.conditions[]? | select(.type == "PodScheduled" and .status == "False")
       | "\(.reason): \(.message)"][0] as $unscheduled
    | [$events[] | select(.involvedObject | .namespace == $pod.metadata.namespace
                          and .name == $pod.metadata.name)] | last
    | {said: ($said // $unscheduled),
       text: ($said // $unscheduled // (if . then "\(.reason): \(.message)" else "is not Ready" end
              | if $containers[0] then "image \($containers[0].image): " + . else . end))}
    | .name = "\($pod.metadata.namespace)/\($pod.metadata.name)";
def is_ready: any(.status.conditions[]?; .type == "Ready" and .status == "True");
. as $input
| ([.items[] | select(.kind == "Event" and .type == "Warning")]
   | sort_by(.lastTimestamp // .eventTime // "")) as $events
| [$input.items[] | select(.kind == "Pod" and (.metadata.deletionTimestamp | not))] as $pods
| [$wanted | split(" ")[] | capture("(?<namespace>[^/]+)/(?<key>[^=]+)=(?<value>.+)") | . as $want
   | [$pods[] | select(.metadata.namespace == $want.namespace
                       and .metadata.labels[$want.key] == $want.value)] as $all
   | [$all[] | select((.spec.nodeName // $node) == $node)] as $here
   | if $all == [] then {name: .namespace, text: "has no pod of \(.key)=\(.value) here"}
     else $here[] | select(is_ready | not) | trouble($events) end] as $troubles
| select($troubles != [])
| [$pods[] | select((is_ready | not) and .status.phase != "Succeeded") | trouble($events)
   | select(.said)] as $others
| "\(any($troubles[]; (.said // "") | test(": (ErrImage|ImagePull|InvalidImageName)"))) "
  + ([($troubles + ($others - $troubles))[] | "\(.name): \(.text)"] | join("; ")
     | gsub("\\s+"; " "))'

pods_run() { # ARGUMENT...: of kubectl get, that list pods; says which are not Ready, and why
    local of_node of_pods
    # shellcheck disable=SC2154 # prepare.sh sets the name
    of_node=$(kubectl get node "$name" -o json | jq -r --arg node "$name" "$node_trouble") || return 1
    of_pods=$(kubectl get "$@" -o json |
        jq -r --arg node "$name" --arg wanted "$READY_PODS" "$pod_trouble") || return 1
    [ -n "$of_node$of_pods" ] || return 0
    why=${of_pods#* }${of_pods:+${of_node:+; }}$of_node
    why=${why:0:600}
    echo "$why"
    # A registry may be away for a moment.
    case $of_pods in
    'true '*) missing_since=${missing_since:-$SECONDS} ;;
    *) missing_since=$SECONDS ;;
    esac
    # shellcheck disable=SC2154 # boot_lib.sh sets it
    [ $((SECONDS - missing_since)) -lt 180 ] || return "$hopeless"
    return 1
}
