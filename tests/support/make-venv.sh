#!/bin/sh
# Makes or updates the virtual environment that all make targets use.
# Usage: make-venv.sh DIRECTORY   (environment: PYTHON, the interpreter to use)
set -eu

venv=$1
python=${PYTHON:-python3}
here=$(dirname "$0")

if ! command -v "$python" >/dev/null; then
    sh "$here/debian-packages.sh" python3
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Python 3.11 or newer is needed; $python is $("$python" --version). Try: make PYTHON=python3.12 ..." >&2
    exit 1
fi

if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    echo "Making the environment in $venv (once)" >&2
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        # Debian splits the module off; without it venv fails half way.
        sh "$here/debian-packages.sh" "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    "$python" -m venv "$venv"
fi

echo "Installing the locked packages into $venv" >&2
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
"$venv/bin/python" -m pip install --quiet --require-hashes --requirement requirements-dev.lock
# Setuptools warns that an editable tree shadows packages of the same name: that is what is wanted here.
PYTHONWARNINGS=ignore "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
