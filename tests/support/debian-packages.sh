#!/bin/sh
# Makes sure that the given Debian packages are installed: by apt-get as root or through sudo, else it says what to do.
# Usage: debian-packages.sh PACKAGE...
set -eu

installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

if ! command -v dpkg-query >/dev/null; then
    echo "This is not a Debian system. Please install what corresponds to: $*" >&2
    exit 1
fi

missing=""
for package in "$@"; do
    installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "Debian packages are missing. Please run: sudo apt-get install$missing" >&2
    exit 1
fi

echo "Installing Debian packages:$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The variables are lists of words.
# shellcheck disable=SC2086
if ! {
    $as_root apt-get -o DPkg::Lock::Timeout=120 update -q &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -q -y --no-install-recommends $missing
} >"$log" 2>&1; then
    cat "$log" >&2
    echo "apt-get failed. Please install by hand:$missing" >&2
    exit 1
fi
for service in dovecot nginx haproxy apache2 caddy fail2ban; do
    case "$missing" in
    *"$service"*)
        echo "Debian may have started a system-wide $service, which the tests do not use." >&2
        echo "To be rid of it: systemctl disable --now $service" >&2
        ;;
    esac
done
