#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# builtin rr (100 bytes each way) without a relay at 2, 10 and 100 connections, in a closed loop, against
# neper's tcp_rr with the same sizes, and against two that speak HTTP: wrk (to nginx, which answers from
# memory) and h2load (to nghttpd, one stream per connection).
. tests/perf/lib/pairs.bash
each_network "$0"
UNIT=k/s

builtin_rr() { # connections, option=value…
    drive -j "$1" mode=rr "${@:2}"
}

neper_rr() { # connections
    local data control server directory rate
    data=$(free_port)
    control=$(free_port)
    directory=$(mktemp -d) # it leaves its log where it runs
    cd "$directory" || return 1
    tcp_rr -C "$control" -P "$data" -T 2 -F "$1" -Q 100 -R 100 -l "$SECONDS_EACH" >server 2>&1 &
    server=$!
    until_listening "$control" || return 1
    tcp_rr -c -H 127.0.0.1 -C "$control" -P "$data" -T 2 -F "$1" -Q 100 -R 100 \
        -l "$SECONDS_EACH" >client 2>&1
    wait $server
    rate=$(sed -n 's/^throughput=//p' client)
    rm -r "$directory"
    awk -v rate="$rate" 'BEGIN { print rate / 1000; exit !rate }'
}

# A subshell: the server ends with it.
wrk_rr() ( # connections
    directory=$(mktemp -d)
    port=$(free_port)
    mkdir "$directory/logs"
    cat >"$directory/nginx.conf" <<-END
	worker_processes 2;
	daemon off;
	pid $directory/pid;
	error_log $directory/error crit;
	events { worker_connections 1024; }
	http {
	    access_log off;
	    keepalive_requests 1000000000;
	    client_body_temp_path $directory/body;
	    proxy_temp_path $directory/proxy;
	    fastcgi_temp_path $directory/fastcgi;
	    uwsgi_temp_path $directory/uwsgi;
	    scgi_temp_path $directory/scgi;
	    server { listen 127.0.0.1:$port; location / { return 200 $(printf 'x%.0s' {1..100}); } }
	}
	END
    PATH=$PATH:/usr/sbin nginx -p "$directory" -c "$directory/nginx.conf" &
    trap 'kill $!; wait $!; rm -r "$directory"' EXIT
    until_listening "$port" || return 1
    wrk -t 2 -c "$1" -d "$SECONDS_EACH" "http://127.0.0.1:$port/" |
        awk '/^Requests\/sec/ { print $2 / 1000; found = 1 } END { exit !found }'
)

h2load_rr() ( # connections
    directory=$(mktemp -d)
    port=$(free_port)
    head -c 100 /dev/zero >"$directory/f"
    nghttpd --no-tls -n 2 -a 127.0.0.1 -d "$directory" "$port" >/dev/null 2>&1 &
    trap 'kill $!; wait $!; rm -r "$directory"' EXIT
    until_listening "$port" || return 1
    h2load -t 2 -c "$1" -m 1 -D "$SECONDS_EACH" "http://127.0.0.1:$port/f" 2>/dev/null |
        awk -F '[ ,]+' '/^finished in/ { print $4 / 1000; found = 1 } END { exit !found }'
)

against() { # name, command, programs…
    local program
    for program in "${@:3}"; do
        PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || {
            echo "rr: $1 skipped: no '$program' on PATH"
            return
        }
    done
    for connections in 2 10 100; do
        pair "rr, $connections connections" 1 builtin "builtin_rr $connections" \
            "$1" "$2 $connections"
    done
}

against neper neper_rr tcp_rr
if command -v tcp_rr >/dev/null; then
    for connections in 2 10 100; do
        pair "rr pinned, $connections" 1 builtin "builtin_rr $connections pin=flow" \
            neper "neper_rr $connections"
    done
fi
against wrk wrk_rr wrk nginx
against h2load h2load_rr h2load nghttpd
