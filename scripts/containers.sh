#!/bin/sh
# What scripts/check-image and scripts/check-stack share; they read it after they set $top: podman with a storage of its own
# below build-image/ (or $CAPSTAN_IMAGE), also where containers may not do everything, and the image of the Dockerfile.
# shellcheck disable=SC2034,SC2154 # of who reads it
work=${CAPSTAN_IMAGE:-$top/build-image}
image=localhost/capstan:check
base=docker.io/library/debian:bookworm-slim
passed=0
failed=0
# Layers that are shared where the kernel and what stands there already let them, else whole copies.
storage=${CAPSTAN_STORAGE:-}
# Words of a build that differ where containers may not do everything.
isolation=
# Health checks are run by these scripts, since podman wants systemd for that.
export DISABLE_HC_SYSTEMD=true

# result TEXT STATUS
result()
{
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok: $1"
    else
        failed=$((failed + 1))
        echo "not ok: $1"
    fi
}

engine()
{
    podman --root "$work/storage" --runroot "$work/runroot" --storage-driver "$storage" "$@"
}

# need COMMAND PACKAGE…
need()
{
    command -v "$1" >/dev/null 2>&1 && return
    shift
    if [ "$(id -u)" -eq 0 ]; then as_root=; else as_root=sudo; fi
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# The Dockerfile's base, made of packages where docker.io is not reached; and a container that runs.
prepare_containers()
{
    need podman podman netavark aardvark-dns
    # A store keeps the network that podman first found: without netavark, one in which containers have no names.
    mkdir -p "$work/storage"
    [ ! -x /usr/lib/podman/netavark ] || printf netavark >"$work/storage/defaultNetworkBackend"
    if [ -z "$storage" ]; then
        storage=overlay
        { [ ! -d "$work/storage/vfs" ] && engine info >"$work/probe.log" 2>&1; } || storage=vfs
    fi
    if ! engine image exists "$base" && ! engine pull -q "$base" >"$work/pull.log" 2>&1; then
        echo "docker.io is not reached; a stand-in of $base is made of packages"
        need mmdebstrap mmdebstrap
        mmdebstrap --variant=minbase --quiet bookworm "$work/base.tar"
        engine import -q "$work/base.tar" "$base" >/dev/null
        rm -f "$work/base.tar"
    fi
    engine run --rm --network none "$base" true >"$work/probe.log" 2>&1 && return
    need runc runc
    isolation="--isolation chroot"
    cat >"$work/containers.conf" <<EOF
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
EOF
    export CONTAINERS_CONF="$work/containers.conf"
    engine run --rm --network none "$base" true >"$work/probe.log" 2>&1 && return
    cat "$work/probe.log"
    echo "containers can't run here" >&2
    exit 3
}

# build_image NAME FOLDER WORD…: of the folder's Dockerfile.
build_image()
{
    name=$1
    folder=$2
    shift 2
    # shellcheck disable=SC2086 # words
    engine build -q --pull=never --format docker $isolation ${isolation:+--network host} "$@" -t "$name" "$folder" \
        >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log"; exit 1; }
}

build_engine()
{
    build_image "$image" "$top" --build-arg "CFLAGS=${CFLAGS:--g -O3}"
}
