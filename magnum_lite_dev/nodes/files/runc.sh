#!/bin/bash
# Only where CAP_SYS_RESOURCE is missing: runc cannot start a privileged container there, nor one
# with a negative OOM score or a raised limit, and each control plane of Kubernetes has some. Takes
# out of a container's description what is not ours to give.
set -euo pipefail

previous='' file='' filter=''
for word in "$@"; do
    case $previous in
        --bundle | -b) file=$word/config.json filter='.process |= given' ;;
        --process | -p) file=$word filter=given ;;
    esac
    previous=$word
done
if [ -n "$file" ] && [ -e "$file" ]; then
    text=$(jq -c --argjson most "$(ulimit -Hn)" 'def given:
        (if .capabilities then .capabilities[] -= ["CAP_SYS_RESOURCE"] else . end)
        | (if (.oomScoreAdj // 0) < 0 then .oomScoreAdj = 0 else . end)
        | (if .rlimits then .rlimits |= map(if .type == "RLIMIT_NOFILE"
            then .hard = ([.hard, $most] | min) | .soft = ([.soft, $most] | min)
            else . end) else . end);
        '"$filter" "$file")
    cat > "$file" <<< "$text"
fi
exec /usr/sbin/runc.real "$@"
