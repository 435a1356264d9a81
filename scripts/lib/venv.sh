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

# Where it is kept what was installed from a list of requirements: a copy of that list, for each list by itself.
copy_of() {
    printf '.venv/installed-%s' "$(printf '%s' "$1" | tr / -)"
}

# make_venv FILE…: installs what the files list, unless exactly that is installed already.
make_venv() {
    lists=$*
    if .venv/bin/python -c '' 2>/dev/null; then
        changed=''
        for file in "$@"; do cmp -s "$file" "$(copy_of "$file")" || changed=1; done
        [ -n "$changed" ] || return 0
    fi
    python=$(find_python) || exit 1
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "Python's venv module is missing. On Debian or Ubuntu: sudo apt install python3-venv"
    printf 'Installing the requirements in .venv (once; a minute or two) …\n'
    [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null || "$python" -m venv --clear .venv
    for file in "$@"; do set -- "$@" -r "$file"; shift; done
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
    for file in $lists; do cp "$file" "$(copy_of "$file")"; done
}
