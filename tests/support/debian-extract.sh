#!/bin/sh
# Unpacks Debian packages, and the libraries they need that the system has not, into a folder, installing nothing:
# for servers of which Debian allows one on a system.
# Usage: debian-extract.sh FOLDER PACKAGE...
set -eu

folder=$1
shift
[ -e "$folder/.complete" ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "This is not a Debian system: there are no packages to unpack into $folder." >&2
    exit 1
fi

libraries() {
    apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$@" |
        sed -n 's/^ *|\{0,1\}\(Pre\)\{0,1\}Depends: \(lib[^<>]*\)$/\2/p' | sort -u
}

absent() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null || true)" != installed ]
}

fetch() {
    wanted="$*"
    for library in $(libraries "$@"); do
        ! absent "$library" || wanted="$wanted $library"
    done
    # The variable is a list of words.
    # shellcheck disable=SC2086
    (cd "$packages" && apt-get download -q $wanted) >"$log" 2>&1
}

echo "Unpacking into $folder: $*" >&2
log=$(mktemp)
packages=$(mktemp -d)
chmod 755 "$packages"
trap 'rm -rf "$log" "$packages"' EXIT
if ! fetch "$@"; then
    # The lists may be old, or missing as in a fresh container.
    if [ "$(id -u)" -eq 0 ]; then as_root=""; else as_root="sudo -n"; fi
    $as_root apt-get -o DPkg::Lock::Timeout=120 update -q >"$log" 2>&1 || true
    if ! fetch "$@"; then
        cat "$log" >&2
        echo "apt-get could not download the packages. Is there a network, and are these in its sources: $*?" >&2
        exit 1
    fi
fi
rm -rf "$folder"
mkdir -p "$folder"
for package in "$packages"/*.deb; do
    dpkg-deb --extract "$package" "$folder"
done
touch "$folder/.complete"
