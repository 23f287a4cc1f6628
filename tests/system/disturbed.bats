#!/usr/bin/env bats
# What is done to the roles from outside while they are measured.
load common

# pid_of ROLE COMMAND: the process of that role whose command line or name has it, in any repetition of
# a run below this directory.
pid_of() {
    local link pid
    for link in $(find /proc -mindepth 2 -maxdepth 2 -path '/proc/[0-9]*' -name cwd -lname "$PWD/*/$1" 2>/dev/null); do
        pid=${link#/proc/}
        pid=${pid%/cwd}
        if grep -qs -- "$2" "/proc/$pid/comm" || grep -qsa -- "$2" "/proc/$pid/cmdline"; then
            echo "$pid"
            return
        fi
    done
}

# when_running ROLE COMMAND OPTION…: starts bench; once its client runs, $pid is the process.
when_running() {
    local role=$1 command=$2
    shift 2
    "$BENCH" "$@" -q >out 2>&1 3>&- &
    bench=$!
    for _ in $(seq 500); do
        pid=$(pid_of "$role" "$command")
        [ -n "$pid" ] && [ -n "$(pid_of client bench-client)" ] && return
        sleep 0.02
    done
    false
}

ended() {
    status=0
    wait "$bench" || status=$?
    output=$(cat out)
    echo "$output"
}

# Long enough for a machine that is busy: what is done has to fall into the window.
one=(run -w builtin --cpu-limit 0 --repeat 1 --warmup 100ms --duration 1500ms)

@test "a role that was stopped in the window fails the repetition, with the time" {
    when_running server bench-server "${one[@]}" -r none --hops 0
    sleep 0.2
    kill -STOP "$pid"
    sleep 0.2
    kill -CONT "$pid"
    ended
    [ "$status" -eq 1 ]
    [[ $output == *"disturbed: server: process $pid 'bench-server' was stopped from "*" s to "*" s of the window"* ]]
    jq -e --arg what "process $pid 'bench-server' was stopped" \
        '.ok == false and .disturbances[0].kind == "stopped" and .disturbances[0].what == $what' \
        bench-results/latest/repetitions/0001-none/repetition.json
}

@test "a role that got another priority counts, with a warning" {
    when_running server bench-server "${one[@]}" -r none --hops 0
    sleep 0.2
    renice -n 19 -p "$pid" >/dev/null
    ended
    [ "$status" -eq 0 ]
    [[ $output == *"! none: in 1 of 1 repetition: disturbed: server: process $pid 'bench-server' was moved from nice "*" to 19 at "*" s of the window"* ]]
}

# limit_of PID QUOTA: changes the limit of its control group.
limit_of() {
    local group mount
    for mount in cpu cpu,cpuacct cpuacct,cpu; do
        group=$(sed -n "s/^[0-9]*:$mount://p" "/proc/$1/cgroup")
        [ -n "$group" ] && [ -d "/sys/fs/cgroup/$mount$group" ] || continue
        echo "$2" >"/sys/fs/cgroup/$mount$group/cpu.cfs_quota_us"
        return
    done
    group=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
    echo "$2 100000" >"/sys/fs/cgroup$group/cpu.max"
}

@test "a relay that is reloaded or given another limit fails the repetition" {
    need_root
    need_nginx
    when_running relay_1 'nginx: master' "${one[@]}" -r nginx --hops 1 --cpu-limit 0.5
    sleep 0.2
    limit_of "$pid" 20000
    kill -HUP "$pid"
    ended
    [ "$status" -eq 1 ]
    [[ $output == *"disturbed: relay_1: its CPU limit was changed from 0.5 CPUs of 100ms to 0.2 CPUs of 100ms at "* ]]
    jq -e '[.disturbances[] | "\(.role) \(.kind)"] == ["relay_1 limit", "relay_1 replaced"]' \
        bench-results/latest/repetitions/0001-nginx/repetition.json
    jq -e '.disturbances[1].what | test("\u0027nginx\u0027 was started beside those that were there, as by a reload")' \
        bench-results/latest/repetitions/0001-nginx/repetition.json
}

@test "a process per connection, and one per job, are no disturbance" {
    cat >fork.py <<'END'
import os, signal, socket, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen(64)
while True:
    c, _ = s.accept()
    if os.fork() == 0:
        s.close()
        while c.recv(65536):
            c.sendall(b"x\n")
        os._exit(0)
    c.close()
END
    cat >job.sh <<'END'
bash -c "exec 3<>/dev/tcp/$1/$2; echo x >&3; head -c 2 <&3 >/dev/null; sleep 0.05"
END
    cat >jobs.yaml <<END
bench: 1
workload:
  plugin: command
  server: "python3 $PWD/fork.py {listen_host} {listen_port}"
  client: "bash $PWD/job.sh {connect_host} {connect_port}"
relays: [none]
hops: 0
cpu_limit: 0
repeat: 1
duration: 700ms
sweep: {warmup: [0ms, 300ms]}
END
    run "$BENCH" run jobs.yaml -q
    echo "$output"
    [[ $output != *disturbed* ]]
    jq -e '.ok and .disturbances == []' bench-results/latest/repetitions/*/repetition.json
}

@test "the stopped block of a comparison is measured again" {
    cat >two.yaml <<'END'
bench: 1
workload: builtin
relays: [none, {name: again, plugin: none}]
hops: 0
cpu_limit: 0
warmup: 100ms
duration: 500ms
repeat: 4
interleave: no
reject: nothing
END
    # Not gone on before the window: the warm-up is over then.
    when_running server bench-server compare two.yaml
    kill -STOP "$pid"
    sleep 0.3
    kill -CONT "$pid"
    ended
    [[ $output == *"blocks: 5 run, 1 rejected (1: server: process $pid 'bench-server' was stopped "* ]] || { echo "$output" && false; }
    [ "$status" -ne 1 ] # the repetition that failed was replaced
}
