# Sourced by tests/run: the tools which Cargo does not bring, each of one fixed version, kept apart from the system's own.
# Reads `say` and `fail`, and `install_packages` of tests/servers.sh.

BUF_VERSION=1.75.0
CARGO_DENY_VERSION=0.20.2
PYTHON_REQUIREMENTS=(grpcio==1.85.1 grpcio-tools==1.85.1 protobuf==7.36.2 setuptools==84.2.1 typing-extensions==4.16.0)

TOOLS=${BACKCHANNEL_TOOLS:-$PWD/.tools}

# Sets BUF. The npm package carries the program itself, so its install script has nothing to do.
need_buf() {
    local into="$TOOLS/buf-$BUF_VERSION"
    BUF="$into/node_modules/.bin/buf"
    if [[ ! -x $BUF ]]; then
        command -v npm >/dev/null || fail "npm is missing: install Node" || return
        say "installing buf $BUF_VERSION (npm)"
        mkdir -p "$into"
        npm install --prefix "$into" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error \
            "@bufbuild/buf@$BUF_VERSION" >&2
    fi
}

# Sets PYTHON_PACKAGES, a directory for PYTHONPATH. `pip --target` works where Debian has no venv and guards its own Python.
need_python_packages() {
    PYTHON_PACKAGES="$TOOLS/python-$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    local installed="$PYTHON_PACKAGES/.installed" wanted="${PYTHON_REQUIREMENTS[*]}"
    if [[ $(cat "$installed" 2>/dev/null) != "$wanted" ]]; then
        python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip || return
        say "installing $wanted (pip)"
        rm -rf "$PYTHON_PACKAGES"
        python3 -m pip install --quiet --disable-pip-version-check --no-input --root-user-action=ignore \
            --only-binary=:all: --target "$PYTHON_PACKAGES" "${PYTHON_REQUIREMENTS[@]}" >&2 || return
        echo "$wanted" >"$installed"
    fi
}

# Sets CARGO_DENY. Compiled here, once; without the optimizations of its release, which take longer than all its runs together.
need_cargo_deny() {
    local into="$TOOLS/cargo-deny-$CARGO_DENY_VERSION"
    CARGO_DENY="$into/bin/cargo-deny"
    if [[ ! -x $CARGO_DENY ]]; then
        say "compiling cargo-deny $CARGO_DENY_VERSION"
        CARGO_PROFILE_DEV_DEBUG=0 cargo install cargo-deny --version "=$CARGO_DENY_VERSION" --locked --debug \
            --root "$into" --target-dir "$into/target" || return
        rm -rf "$into/target"
    fi
}
