# Sourced by tests/run: a private PostgreSQL, a private NATS and a private SMTP server on free loopback ports, with their files in a
# temporary directory. A cluster or a server of the system is never touched. Reads `say` and `fail`, and `need_python_packages` of
# tests/tools.sh.

SERVERS_DIR=""
POSTGRES_PID=""
NATS_PID=""
SMTP_PID=""

# Exports BACKCHANNEL_TEST_POSTGRES, BACKCHANNEL_TEST_NATS and BACKCHANNEL_TEST_SMTP. A server which is named already is used as it is; one which
# cannot be reached is an error, so that no test is ever skipped for want of it.
start_servers() {
    local missing=()
    [[ -n ${BACKCHANNEL_TEST_POSTGRES:-} ]] || postgres_bin >/dev/null || missing+=(postgresql)
    [[ -n ${BACKCHANNEL_TEST_NATS:-} ]] || nats_program >/dev/null || missing+=(nats-server)
    ((${#missing[@]} == 0)) || install_packages "${missing[@]}" || return

    if [[ -n ${BACKCHANNEL_TEST_POSTGRES:-} ]]; then
        answers "$BACKCHANNEL_TEST_POSTGRES" || fail "nothing answers at BACKCHANNEL_TEST_POSTGRES" || return
        say "PostgreSQL: the one that BACKCHANNEL_TEST_POSTGRES names"
    else
        start "PostgreSQL" start_postgres || return
    fi
    if [[ -n ${BACKCHANNEL_TEST_NATS:-} ]]; then
        answers "$BACKCHANNEL_TEST_NATS" || fail "nothing answers at BACKCHANNEL_TEST_NATS" || return
        say "NATS: the one that BACKCHANNEL_TEST_NATS names"
    else
        start "NATS" start_nats || return
    fi
    if [[ -n ${BACKCHANNEL_TEST_SMTP:-} ]]; then
        [[ -s $BACKCHANNEL_TEST_SMTP/sink.json ]] || fail "BACKCHANNEL_TEST_SMTP is no folder of tests/smtp/sink" || return
        say "SMTP: the server that BACKCHANNEL_TEST_SMTP names"
    else
        need_python_packages || return
        command -v openssl >/dev/null || install_packages openssl || return
        start "the SMTP server" start_smtp || return
    fi
    export BACKCHANNEL_TEST_POSTGRES BACKCHANNEL_TEST_NATS BACKCHANNEL_TEST_SMTP
}

# Runs at every exit, also after Ctrl-C: stops what was started here, by its process id.
stop_servers() {
    trap '' INT TERM # a second Ctrl-C must not leave a server behind
    [[ -z $SMTP_PID ]] || stop_process "$SMTP_PID" TERM
    [[ -z $NATS_PID ]] || stop_process "$NATS_PID" TERM
    [[ -z $POSTGRES_PID ]] || stop_process "$POSTGRES_PID" INT # INT: disconnect clients, then end cleanly
    NATS_PID="" POSTGRES_PID="" SMTP_PID=""
    [[ -z $SERVERS_DIR ]] || rm -rf "$SERVERS_DIR"
    SERVERS_DIR=""
}

stop_process() {
    local pid=$1 signal=$2
    kill "-$signal" "$pid" 2>/dev/null || true
    for _ in {1..100}; do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
}

# Where servers keep their files: in memory, where there is room. They flush what they write there too, as they are told to, but the
# thousands of databases that tests make and drop wait for no disk: it takes a third of the time.
place() {
    local free
    free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1) || free=0
    if [[ -z ${TMPDIR:-} && -w /dev/shm ]] && ((${free:-0} > 4 * 1024 * 1024)); then echo /dev/shm; else echo "${TMPDIR:-/tmp}"; fi
}

# A free port may be taken by somebody else before the server has it, hence three tries.
start() {
    local name=$1 start_one=$2
    if [[ -z $SERVERS_DIR ]]; then
        SERVERS_DIR=$(mktemp -d "$(place)/backchannel-servers.XXXXXX")
        chmod 711 "$SERVERS_DIR" # the user postgres has to pass through
    fi
    for _ in 1 2 3; do
        if "$start_one" "$(free_port)"; then return 0; fi
    done
    fail "$name does not start"
}

start_postgres() {
    local port=$1 bin files="$SERVERS_DIR/postgres" as_user=()
    bin=$(postgres_bin) || return
    rm -rf "$files" && mkdir -m 700 "$files" || return
    if ((EUID == 0)); then # PostgreSQL refuses to run as root
        as_user=(setpriv --reuid=postgres --regid=postgres --init-groups --reset-env)
        chown postgres: "$files" || return
    fi
    (cd / && "${as_user[@]}" "$bin/initdb" --pgdata="$files" --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync) >"$SERVERS_DIR/initdb.log" 2>&1 || { tail -n 20 "$SERVERS_DIR/initdb.log" >&2; return 1; }
    # fsync stays on: what was acknowledged is to be there after a server is killed.
    "${as_user[@]}" "$bin/postgres" -D "$files" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
        -c max_connections=300 -c fsync=on >"$SERVERS_DIR/postgres.log" 2>&1 &
    POSTGRES_PID=$!
    wait_until_up "$POSTGRES_PID" "$SERVERS_DIR/postgres.log" "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" || return
    BACKCHANNEL_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
    say "PostgreSQL: $("$bin/postgres" --version), process $POSTGRES_PID, port $port"
}

start_nats() {
    local port=$1 program
    program=$(nats_program) || return
    "$program" --addr 127.0.0.1 --port "$port" >"$SERVERS_DIR/nats.log" 2>&1 &
    NATS_PID=$!
    wait_until_up "$NATS_PID" "$SERVERS_DIR/nats.log" answers "nats://127.0.0.1:$port" || return
    BACKCHANNEL_TEST_NATS="nats://127.0.0.1:$port"
    say "NATS: $("$program" --version), process $NATS_PID, port $port"
}

# It takes free ports by itself, and says in its folder which.
start_smtp() {
    local files="$SERVERS_DIR/smtp"
    rm -rf "$files" && mkdir -m 700 "$files" || return
    PYTHONPATH="$PYTHON_PACKAGES" python3 tests/smtp/sink "$files" >"$SERVERS_DIR/smtp.log" 2>&1 &
    SMTP_PID=$!
    wait_until_up "$SMTP_PID" "$SERVERS_DIR/smtp.log" test -s "$files/sink.json" || return
    BACKCHANNEL_TEST_SMTP=$files
    say "SMTP: tests/smtp/sink, process $SMTP_PID"
}

# Asks `$3...` for up to 30 s, and gives up at once when the process has ended.
wait_until_up() {
    local pid=$1 log=$2
    shift 2
    for _ in {1..300}; do
        if "$@" 2>/dev/null; then return 0; fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    stop_process "$pid" KILL
    tail -n 20 "$log" >&2
    return 1
}

# Whether something accepts connections at the host and port of a URL.
answers() {
    python3 - "$1" <<'PYTHON'
import socket, sys, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
default = {"postgres": 5432, "postgresql": 5432, "nats": 4222}.get(url.scheme)
try:
    socket.create_connection((url.hostname, url.port or default), timeout=3).close()
except (OSError, TypeError):
    sys.exit(1)
PYTHON
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Debian keeps the server's programs out of PATH, one directory for each version: take the newest.
postgres_bin() {
    local found
    found=$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -V | tail -n 1) || true
    [[ -n $found ]] || found=$(command -v postgres) || return
    dirname "$found"
}

nats_program() {
    command -v nats-server || { [[ -x /usr/sbin/nats-server ]] && echo /usr/sbin/nats-server; }
}

# By apt-get, with the packages' names: as root, or with sudo. Elsewhere it says what is missing.
install_packages() {
    local as_root=()
    command -v apt-get >/dev/null || fail "missing: $*. Install it, or name a running server (see tests/run --help)" || return
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "missing: $*. As root: apt-get install $*" || return
        as_root=(sudo ${CI:+-n} --) # in CI nobody can type a password
    fi
    say "installing $* (apt-get)"
    "${as_root[@]}" apt-get update -qq >&2 &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
            --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >&2
}

# Fetches a package's file into a directory, and installs nothing.
download_package() {
    (cd "$2" && apt-get -o APT::Sandbox::User=root download -qq "$1") >&2 2>/dev/null || {
        if ((EUID == 0)); then apt-get update -qq >&2; else sudo ${CI:+-n} -- apt-get update -qq >&2; fi &&
            (cd "$2" && apt-get -o APT::Sandbox::User=root download -qq "$1") >&2
    }
}
