# Sourced by serve and test: makes .venv with the pinned requirements, and only does what changed since the last time.

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail 'Python 3.11 or newer is needed. On Debian or Ubuntu: sudo apt install python3 python3-venv'
}

# make_venv FILE…: installs what the files list, unless exactly that is installed already.
make_venv() {
    wanted=$(cat "$@" | cksum)
    [ -f .venv/installed ] && [ "$(cat .venv/installed)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null && return
    python=$(find_python) || exit 1
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "Python's venv module is missing. On Debian or Ubuntu: sudo apt install python3-venv"
    printf 'Installing the requirements in .venv (once; a minute or two) …\n'
    [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null || "$python" -m venv --clear .venv
    for file in "$@"; do set -- "$@" -r "$file"; shift; done
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
    printf '%s' "$wanted" >.venv/installed
}
