#!/bin/sh
# Installs the locked dependencies into .venv. The Makefile calls it when something is missing or out of date.
#
#   install.sh         install, or bring up to date
#   install.sh check   is there a usable environment here? (says nothing)
#   install.sh lock    resolve the dependencies anew into uv.lock
set -eu
cd "$(dirname "$0")/.."

uv_range='uv>=0.9,<0.14' # as the uv_build of the pyproject.toml files, so that building them downloads nothing
stamp=.venv/.installed   # written last; says where and for which Python

say() { printf '%s\n' "$*" >&2; }
die() { for line; do say "$line"; done; exit 1; }

version() { "$1" -c 'import sys; print("Python %d.%d" % sys.version_info[:2])' 2>/dev/null; }

identity() { pwd -P && version .venv/bin/python; }

usable() {
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(identity)" ] || return 1
    [ -z "${PYTHON:-}" ] || [ "$(version "$PYTHON")" = "$(version .venv/bin/python)" ]
}

find_python() {
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
        # Run it: a name on PATH may be a shim for a version that is not there.
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    die "Python 3.11 or newer is needed; found: $("${PYTHON:-python3}" --version 2>&1 || true)" \
        "Install one and run make again, or name it: make PYTHON=/path/to/python3.13 …" \
        "(With uv on the PATH, uv finds or fetches one by itself.)"
}

# Debian and its kin split ensurepip off: there the venv module makes an environment only --without-pip, and the
# system's pip, where there is one, can install into it from outside.
install_uv() {
    python=$(find_python) || exit 1
    rm -rf .venv
    say "Making .venv with $("$python" --version) …"
    if "$python" -m venv .venv >/dev/null 2>&1 || "$python" -m virtualenv --quiet .venv 2>/dev/null; then
        pip=.venv/bin/python
        set --
    elif "$python" -m venv --without-pip --clear .venv 2>/dev/null && "$python" -m pip --version >/dev/null 2>&1; then
        pip=$python
        set -- --python .venv/bin/python
    else
        rm -rf .venv
        die "This Python cannot make a virtual environment: its venv module is missing or incomplete." \
            "On Debian and Ubuntu: apt-get install python3-venv — then run make again." \
            "Elsewhere: install uv, or name another Python: make PYTHON=/path/to/python3 …"
    fi
    "$pip" -m pip "$@" install --quiet --disable-pip-version-check "$uv_range" || die \
        "Could not install uv into .venv (see above)." \
        "The first run needs the network; run make again when it is there."
}

# uv as it is on the PATH, or else one inside .venv; never installed anywhere else.
run_uv() {
    unset VIRTUAL_ENV
    export UV_PROJECT_ENVIRONMENT=.venv
    if uv --version >/dev/null 2>&1; then
        [ -z "${PYTHON:-}" ] || UV_PYTHON=$(find_python) || exit 1
        [ -z "${UV_PYTHON:-}" ] || export UV_PYTHON
        uv "$@"
    else
        [ -x .venv/bin/uv ] || install_uv
        unset UV_PYTHON # this uv must not replace the environment it lives in by one of another Python
        .venv/bin/uv "$@"
    fi
}

case ${1:-install} in
check) usable ;;
lock) run_uv lock ;;
install)
    if usable; then
        # Put aside, so that an update killed in the middle counts as half installed; put back if it merely fails.
        mv "$stamp" "$stamp.old"
    else
        [ -z "${PYTHON:-}" ] || find_python >/dev/null # before anything is removed
        rm -rf .venv
    fi
    # --inexact: uv itself stays in .venv though the lock does not name it. --compile-bytecode: once here, instead of at
    # the first start, or at every start where Python may not write bytecode.
    say "Installing what is locked into .venv …"
    if ! run_uv sync --quiet --frozen --inexact --compile-bytecode; then
        [ ! -f "$stamp.old" ] || mv "$stamp.old" "$stamp"
        die "Installing failed (see above). It needs the network; run make again to try once more."
    fi
    identity >"$stamp"
    rm -f "$stamp.old"
    ;;
*) die "usage: install.sh [check | lock]" ;;
esac
