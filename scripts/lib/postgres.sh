# A throw-away PostgreSQL on a socket, for the tests. Sourced by scripts/test.
# shellcheck shell=bash

pg_dir=
pg_as=()
start_postgres() { # sets PIPEROLL_TEST_POSTGRES, unless it is set already or there is no PostgreSQL
  [ -n "${PIPEROLL_TEST_POSTGRES:-}" ] && return
  local bin
  bin=$(find_postgres_bin) || return 0
  pg_bin=$bin
  pg_dir=$(mktemp -d /tmp/piperoll-pg.XXXXXX) # short: a socket's path has at most 107 bytes
  trap stop_postgres EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
    chown postgres:postgres "$pg_dir"
    pg_as=(setpriv --reuid=postgres --regid=postgres --init-groups --)
  fi
  (
    cd "$pg_dir"
    "${pg_as[@]}" "$bin/initdb" -D "$pg_dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions >"$pg_dir/initdb.log"
    "${pg_as[@]}" "$bin/pg_ctl" -D "$pg_dir/data" -s -w -t 30 -l "$pg_dir/server.log" start \
      -o "-k '$pg_dir' -c listen_addresses='' -c max_connections=200"
  )
  export PIPEROLL_TEST_POSTGRES="postgres:///postgres?host=$pg_dir&user=postgres" PIPEROLL_TEST_POSTGRES_BIN=$bin
}
stop_postgres() {
  [ -n "$pg_dir" ] || return 0
  (cd / && "${pg_as[@]}" "$pg_bin/pg_ctl" -D "$pg_dir/data" -m immediate -s stop) || true
  rm -rf "$pg_dir"
  pg_dir=
}
