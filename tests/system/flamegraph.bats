#!/usr/bin/env bats
# Flame graphs: the command, and what a browser makes of the picture.

load common

need_chromium() {
    CHROMIUM=$(command -v chromium || command -v chromium-browser) || skip "chromium is not installed"
}

# Loads a document and prints it as it then is; the network is a proxy that does not exist.
browse() { # file
    timeout 120 "$CHROMIUM" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --user-data-dir="$PWD/chromium" --proxy-server=127.0.0.1:9 \
        --dump-dom "file://$PWD/$1" 2>chromium.err 3>&-
}

# Runs script in the picture, after its own; what it gives to say() is the output, one per line.
in_picture() { # picture, script
    python3 - "$1" "$2" <<'PY'
import sys
picture = open(sys.argv[1], encoding="utf-8").read()
end = picture.rindex("</svg>")
open("driven.svg", "w", encoding="utf-8").write(picture[:end] + """<script><![CDATA[
const svg = document.documentElement, flame = svg.flame, said = [];
const say = (...words) => said.push(words.join(" "));
const at = name => flame.frames.findIndex(f => f.name === name);
const key = (name, target) => (target || svg).dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
window.onerror = message => say("error:", message);
try { %s } catch (e) { say("error:", e); }
const out = document.createElementNS(svg.namespaceURI, "desc");
out.textContent = "SAID" + said.join("\\n") + "DIAS";
svg.append(out);
]]></script></svg>""" % sys.argv[2])
PY
    browse driven.svg >driven.out
    python3 -c '
import html, re
found = re.findall(r"<desc>SAID(.*?)DIAS</desc>", open("driven.out", encoding="utf-8").read(), re.S)
print(html.unescape(found[0]) if found else "the script did not run")'
}

well_formed() { python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$1"; }

example() {
    cat >small.folded <<'END'
main;read;sys_read_[k];copy_[k] 400
main;read 100
main;parse;std::vector<int>::push_back_[i] 300
main;parse 200
END
}

@test "a picture from folded text: well-formed, complete, no reference to anything outside" {
    example
    "$BENCH" flamegraph small.folded -o small.svg --title 'the <title>'
    well_formed small.svg
    "$BENCH" flamegraph small.folded -o /dev/stdout --title 'the <title>' | cmp - small.svg
    run python3 - <<'PY'
import xml.etree.ElementTree as E
root = E.parse("small.svg").getroot()
n = "{http://www.w3.org/2000/svg}"
frames = [g for g in root.iter(n + "g") if g.get("class", "").startswith("f ")]
print([g.find(n + "text").text for g in frames])
print(root.find(n + "title").text)
PY
    [ "${lines[0]}" = "['all', 'main', 'parse', 'std::vector<int>::push_back', 'read', 'sys_read', 'copy']" ]
    [ "${lines[1]}" = "the <title>" ]
    # Names of formats are the only addresses in it.
    [ "$(grep -oE '(href|src)=|url\(|@import|https?:[^" ]*' small.svg | sort -u | tr '\n' ' ')" = \
        "http://www.w3.org/1999/xhtml http://www.w3.org/2000/svg " ]
}

@test "the browser zooms, searches, explains and resets" {
    need_chromium
    example
    "$BENCH" flamegraph small.folded -o small.svg
    run in_picture small.svg '
        const width = name => flame.frames[at(name)].rect.getAttribute("width");
        const shown = () => flame.frames.filter(f => f.group.style.display !== "none").map(f => f.name).join(" ");
        say("shown", shown());
        flame.frames[at("read")].group.dispatchEvent(new MouseEvent("click", { bubbles: true }));
        say("zoomed", shown(), width("read") === width("all"), +width("sys_read") / +width("all"));
        say("passed", flame.frames.filter(f => f.group.classList.contains("passed")).map(f => f.name).join(" "));
        say("facts", flame.facts(at("sys_read")).join(" | "));
        flame.reset();
        say("reset", shown() === flame.frames.map(f => f.name).join(" "), +width("read") / +width("all"));
        const input = document.querySelector("input");
        input.value = "READ";
        input.dispatchEvent(new Event("input"));
        say("found", JSON.stringify(flame.search("READ")), document.querySelector(".controls span").textContent);
        say("hits", flame.frames.filter(f => f.group.classList.contains("hit")).map(f => f.name).join(" "));
        say("nothing", JSON.stringify(flame.search("no such")), JSON.stringify(flame.search("")));
        const tip = document.querySelector(".tip");
        flame.frames[at("copy")].group.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX: 5, clientY: 5 }));
        say("tip", [...tip.querySelectorAll("tspan")].map(t => t.textContent).join(" | "));'
    echo "$output"
    [ "${lines[0]}" = "shown all main parse std::vector<int>::push_back read sys_read copy" ]
    [ "${lines[1]}" = "zoomed all main read sys_read copy true 0.8" ]
    [ "${lines[2]}" = "passed all main" ]
    [ "${lines[3]}" = "facts kernel | 400 samples · 40.0% of all · 80.0% of the zoomed" ]
    [ "${lines[4]}" = "reset true 0.5" ]
    [ "${lines[5]}" = 'found {"share":0.5,"frames":2} 50.0% matched' ]
    [ "${lines[6]}" = "hits read sys_read" ]
    [ "${lines[7]}" = 'nothing {"share":0,"frames":0} null' ]
    [ "${lines[8]}" = "tip copy | kernel | 400 samples · 40.0% of all | itself: 400 samples · 40.0%" ]
}

@test "the browser is driven by keys alone" {
    need_chromium
    example
    "$BENCH" flamegraph small.folded -o small.svg
    run in_picture small.svg '
        const focused = () => { const i = flame.frames.findIndex(f => f.group === document.activeElement);
            return i < 0 ? document.activeElement.localName : flame.frames[i].name; };
        say("tab stops", document.querySelectorAll("[tabindex=\"0\"]").length);
        key("ArrowUp"); say(focused());
        key("ArrowUp"); say(focused());
        key("ArrowRight"); say(focused());
        key("ArrowRight"); say(focused());
        say(document.activeElement.getAttribute("aria-label"));
        key("Enter"); say("zoomed", flame.frames[at("parse")].shown);
        key("ArrowLeft"); say(focused());
        key("ArrowDown"); say(focused());
        key("/"); say(focused());
        key("x", document.activeElement);
        key("Escape", document.activeElement); say("zoomed", flame.frames[at("parse")].shown);'
    echo "$output"
    [ "$output" = "tab stops 1
main
parse
read
read
read, user, 500 samples · 50.0% of all, itself: 100 samples · 10.0%
zoomed false
read
main
input
zoomed true" ]
}

@test "hostile names are harmless" {
    python3 - <<'PY'
names = [b"</script><script>document.title='owned'</script>", b"]]>", b"&amp\\x3b<b>", b"\"'` onload=alert(1)",
         b"\\x01\\x0a\\x1b[31m", b"\xff\xfe\xc0\xbc", "\u202e\ufffe\u2028".encode(), b"<!--", b"${1}", b"T<" * 5000]
with open("hostile.folded", "wb") as f:
    for i, name in enumerate(names):
        f.write(b"root;" + name + b";" + name + b"_[k] %d\n" % (i + 10))
PY
    "$BENCH" flamegraph hostile.folded -o hostile.svg --title '</title></svg>]]>' --unit '</script>'
    "$BENCH" flamegraph hostile.folded --diff hostile.folded -o difference.svg
    "$BENCH" flamegraph hostile.folded --format speedscope -o hostile.json
    "$BENCH" flamegraph hostile.folded --format folded | cmp - <("$BENCH" flamegraph <("$BENCH" flamegraph \
        hostile.folded --format folded) --format folded)
    well_formed hostile.svg
    well_formed difference.svg
    [ "$(json hostile.json 'len(d["shared"]["frames"])')" = 21 ]
    need_chromium
    run in_picture hostile.svg '
        say(document.querySelectorAll("script").length, flame.frames.length, document.querySelector("title"));
        say(flame.frames[at("]]" + ">")].name, JSON.stringify(flame.search("</script>")));
        say(Math.max(...flame.frames.map(f => f.name.length)), flame.frames.some(f => f.name.includes("␁␊␛[31m")));'
    echo "$output"
    [[ ${lines[0]} == "3 22"* ]]
    [[ ${lines[1]} == "]]> {"*'"frames":2}' ]]
    [ "${lines[2]}" = "10000 true" ]
    run in_picture difference.svg 'say(flame.frames.length, flame.facts(1).join(" | "))'
    echo "$output"
    [ "$output" = "22 user | before 145 samples · 100.0% | after  145 samples · 100.0% | change +0.00% · may be noise (p = 1.0)" ]
}

@test "in a page, as an image and beside another picture" {
    need_chromium
    example
    "$BENCH" flamegraph small.folded -o small.svg
    "$BENCH" flamegraph small.folded --diff small.folded -o other.svg
    {
        echo '<!doctype html><meta charset="utf-8"><title>page</title><img src="small.svg">'
        grep -v '^<?xml' small.svg
        grep -v '^<?xml' other.svg
        echo '<script>window.onload = () => {
            const all = [...document.querySelectorAll("svg.flame")];
            all[1].flame.zoom(2);
            document.body.dataset.said = [document.images[0].naturalWidth, document.title, all.length,
                all.map(s => s.flame.frames.filter(f => f.shown).length)].join(" ");
            };</script>'
    } >page.html
    run browse page.html
    [[ $output == *'data-said="1200 page 2 7,4"'* ]]
}

@test "speedscope's format" {
    example
    "$BENCH" flamegraph small.folded --format speedscope --unit us --title t -o s.json
    # The rules of its schema that concern a sampled profile.
    run python3 - <<'PY'
import json
d = json.load(open("s.json"))
p = d["profiles"][0]
assert d["$schema"] == "https://www.speedscope.app/file-format-schema.json"
assert set(d) <= {"$schema", "activeProfileIndex", "exporter", "name", "profiles", "shared"}
assert set(p) == {"type", "name", "unit", "startValue", "endValue", "samples", "weights"}
assert p["type"] == "sampled" and p["name"] == "t"
assert p["unit"] in {"bytes", "microseconds", "milliseconds", "nanoseconds", "none", "seconds"}
frames = d["shared"]["frames"]
assert all(set(f) <= {"name", "file", "line", "col"} and isinstance(f["name"], str) for f in frames)
assert len(p["samples"]) == len(p["weights"]) == 4
assert all(isinstance(i, int) and 0 <= i < len(frames) for s in p["samples"] for i in s)
assert sum(p["weights"]) == p["endValue"] == 1000 and p["startValue"] == 0
print(p["unit"], [";".join(frames[i]["name"] for i in s) for s in p["samples"]][0])
PY
    [ "$output" = "microseconds main;parse" ]
}

@test "difference: normalised, vanished shown, noise pale" {
    for i in 1 2 3 4 5; do
        printf 'main;f %d\nmain;g 100\nmain;old 50\n' $((1000 + i)) >before$i.folded
        printf 'main;f %d\nmain;g 300\nmain;new 50\n' $((2000 + 2 * i)) >after$i.folded
    done
    "$BENCH" flamegraph after*.folded --diff before1.folded --diff before2.folded --diff before3.folded \
        --diff before4.folded --diff before5.folded --divisor 2 --diff-divisor 1,1,1,1,1 --per operation -o d.svg
    run grep -o '<g class="f [a-z0-9 ]*">' d.svg
    [ "$output" = '<g class="f same">
<g class="f same">
<g class="f same dim">
<g class="f more3">
<g class="f more4">
<g class="f gone">' ] || { echo "$output"; false; }
    grep -q 'permutations of 5 and 5 repetitions' d.svg
    "$BENCH" flamegraph after1.folded --diff before1.folded --divisor 2 --diff-divisor 1 -o d.svg
    grep -q 'counts of samples' d.svg
    "$BENCH" flamegraph after1.folded --diff before1.folded --divisor 2 --diff-divisor 1 --unit us -o d.svg
    grep -q 'any of these changes may be noise' d.svg
}

# A run of two arms, and stacks that a capture could have left in it: arm "new" spends 2.5 times as much
# in copy() as "old", and nothing in check(); each repetition delivered other bytes.
stored_run() {
    cat >two.yaml <<'END'
bench: 1
name: two arms
workload: {plugin: builtin, mode: stream}
relays: [{name: old, plugin: none}, {name: new, plugin: none}]
warmup: 50ms
duration: 200ms
repeat: 4
END
    "$BENCH" run two.yaml -q -o run >/dev/null
    python3 - <<'PY'
import glob, json, os, subprocess
metrics = {r["index"]: r["metrics"] for r in json.loads(subprocess.run(
    [os.environ["BENCH"], "report", "run", "--format", "json"],
    capture_output=True, check=True).stdout)["repetitions"]}
for path in sorted(glob.glob("run/repetitions/*/repetition.json")):
    d = json.load(open(path))
    window = (d["window_end_ns"] - d["window_begin_ns"]) / 1e9
    gigabytes = metrics[d["index"]]["bits_per_second"]["value"] * window / 8e9
    costs = {"copy": 1000, "check": 500, "loop": 3000} if d["arm"] == "old" else {"copy": 2500, "loop": 3000}
    d["captures"] = []
    for role in "client", "server":
        noise = 1 + 0.001 * d["block"]
        with open(path.replace("repetition.json", f"record-{role}.folded"), "w") as f:
            for name, cost in costs.items():
                f.write("main;%s %.6f\n" % (name, cost * gigabytes * noise))
        d["captures"].append({"capture": "record", "role": role, "files": ["x.perf.data", f"record-{role}.folded"],
            "event": "cpu-clock", "unit": "ns", "samples": 100, "lost": 1, "frequency": 997,
            "notes": ["the stacks of <nginx> end early"]})
    json.dump(d, open(path, "w"))
PY
}

@test "the stacks of a run: chosen, added up, compared between arms per byte" {
    export BENCH
    stored_run
    run "$BENCH" flamegraph run
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: stacks of more than one arm: 'old', 'new'" ] ||
        [ "${lines[0]}" = "bench: stacks of more than one arm: 'new', 'old'" ]
    [ "${lines[1]}" = "hint: choose one with '--arm'" ]
    run "$BENCH" flamegraph run --arm odl
    [ "$status" -eq 2 ]
    [ "${lines[1]}" = "hint: did you mean 'old'?" ]
    run "$BENCH" flamegraph run --arm old --role relay_1
    [ "${lines[0]}" = "bench: unknown role 'relay_1'" ]

    # All roles below frames of their own; one role as it is.
    run "$BENCH" flamegraph run --arm old --format folded
    [ "$(cut -d' ' -f1 <<<"$output" | tr '\n' ' ')" = \
        "client;main;check client;main;copy client;main;loop server;main;check server;main;copy server;main;loop " ]
    "$BENCH" flamegraph run --arm old --role server --format folded >one
    cat run/repetitions/*-old/record-server.folded >all
    "$BENCH" flamegraph all --format folded | cmp - one

    "$BENCH" flamegraph run --diff old:new --role server -o d.svg
    well_formed d.svg
    grep -q '<title>two arms: from old to new</title>' d.svg
    grep -q 'arm old, capture record of server: cpu-clock, 4 repetitions: .*s, 400 samples, 3 distinct stacks, 4 lost' d.svg
    grep -q '! the stacks of &#60;nginx&#62; end early' d.svg
    grep -q 'permutations of 4 and 4 repetitions' d.svg
    run python3 - <<'PY'
import json, re
text = open("d.svg").read()
d = json.loads(re.search(r'class="data">(.*?)</script>', text, re.S)[1])
names = ["all"] + [n[0] for n in d["names"]]
print(d["unit"], d["per"])
for f in d["frames"]:
    print(names[f[1]], round(f[5] * 1e7), round(f[6] * 1e7))
PY
    [ "$output" = "ns byte
all 45 55
main 45 55
check 5 0
copy 10 25
loop 30 30" ] || { echo "$output"; false; }
    run grep -o '<g class="f [a-z0-9 ]*">' d.svg
    [ "$output" = '<g class="f more2">
<g class="f more2">
<g class="f gone">
<g class="f more4">
<g class="f same dim">' ] || { echo "$output"; false; }

    # A second capture: the choice is the user's; times between events are no counts of samples.
    for file in run/repetitions/*/repetition.json; do
        jq '.captures += [.captures[0] | .capture = "offcpu" | .unit = "us" | del(.frequency)]' "$file" >changed
        mv changed "$file"
    done
    run "$BENCH" flamegraph run --arm old
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: stacks of more than one capture: 'record', 'offcpu'" ]
    [ "${lines[1]}" = "hint: choose one with '--capture'" ]
    run "$BENCH" flamegraph run --arm old --capture offcpu --format folded
    [ "$(cut -d' ' -f1 <<<"$output" | tr '\n' ' ')" = "main;check main;copy main;loop " ]
    "$BENCH" flamegraph run --arm old --capture offcpu | grep -q 'capture offcpu of client: cpu-clock, 4 repetitions: [0-9.]* m*s, 3 distinct'
    for file in run/repetitions/*/repetition.json; do
        jq '.captures |= map(select(.capture == "record"))' "$file" >changed && mv changed "$file"
    done

    # Another run is what was before: here the same one.
    "$BENCH" flamegraph run --arm new --diff ./run --per none -o same.svg
    [ "$(grep -c '<g class="f same dim">' same.svg)" = 9 ]
    run "$BENCH" flamegraph run --diff old:new --per operation
    [ "$status" -eq 2 ]
    [[ ${lines[0]} == "bench: repetition "*" has no operations to divide by" ]]
    sed -i 's/"cpu-clock"/"cycles"/g' run/repetitions/*-new/repetition.json
    run "$BENCH" flamegraph run --diff old:new
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: 'cpu-clock' in ns is not to be compared with 'cycles' in ns" ]
    for file in run/repetitions/*/repetition.json; do
        jq '.captures = []' "$file" >changed && mv changed "$file"
    done
    run "$BENCH" flamegraph run
    [ "$status" -eq 2 ]
    [[ ${lines[0]} == "bench: run '"*"' has no stacks" ]]
}

@test "what is wrong is said" {
    example
    refused() { # expected first line, arguments
        local expected=$1
        shift
        run "$BENCH" flamegraph "$@"
        [ "$status" -eq 2 ] && [ "${lines[0]}" = "bench: $expected" ] || {
            echo "$output"
            return 1
        }
    }
    printf 'a;b 1\na;b\n' >bad.folded
    refused "bad.folded:2: 'a;b' is no weight" bad.folded
    refused "neither 'latest' nor 'bench-results/latest' is a run directory"
    refused "flamegraph: per 'frob'? byte, operation or none" --diff x --per frob
    refused "flamegraph: files have no arm, role, point or capture to choose" small.folded --arm nginx
    refused "flamegraph: 'latest' is no file to compare with" small.folded --diff latest
    refused "flamegraph: a run knows its units and divisors: '--per'" latest --unit us
    refused "flamegraph: one run at a time, not 'one' and 'two'" one two
    refused "flamegraph: '--arm' or '--diff a:b', not both" one --arm a --diff a:b
    refused "flamegraph: unknown format 'png': svg, folded or speedscope" small.folded --format png
    refused "flamegraph: a difference is drawn as svg only, not as 'folded'" small.folded --diff small.folded --format folded
    refused "flamegraph: weights are divided for a difference only: '--diff'" small.folded --divisor 2
    refused "flamegraph: '--divisor' and '--diff-divisor' go together" small.folded --diff small.folded --divisor 2
    refused "2 divisors for 1 files: give one, or one for each" small.folded --diff small.folded --divisor 1,2 --diff-divisor 3
    refused "a divisor of '0' is not above 0" small.folded --diff small.folded --divisor 0 --diff-divisor 3
    refused "flamegraph: unknown option '--frob'" small.folded --frob
    refused "flamegraph: option '--title' needs a value" small.folded --title
    run "$BENCH" flamegraph missing.folded
    [ "$status" -eq 1 ]
    [ "${lines[0]}" = "bench: cannot open 'missing.folded': No such file or directory" ]
    run "$BENCH" flamegraph small.folded -o /nowhere/x.svg
    [ "$status" -eq 1 ]
}

@test "a recording of perf is drawn as it is, and a damaged one is refused" {
    command -v perf >/dev/null || skip "perf is not installed"
    perf record -q -N -e cpu-clock:u -F 997 -g -o perf.data "$FAKES/deep" once 2>perf.err ||
        skip "perf may not record here: $(tail -n 1 perf.err)"
    "$BENCH" flamegraph perf.data -o deep.svg
    well_formed deep.svg
    grep -q '<text[^>]*>descend</text>' deep.svg
    grep -qE 'perf.data: [0-9.]+ m?s, [0-9]+ samples, [0-9]+ distinct stacks' deep.svg
    "$BENCH" flamegraph perf.data perf.data --format folded -o twice.folded
    [ "$(grep -c ';main;work;descend' twice.folded)" -gt 0 ]
    run "$BENCH" flamegraph perf.data --diff twice.folded
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: '' in samples is not to be compared with 'cpu-clock:u' in ns" ]
    head -c 1000 perf.data >cut.data
    run "$BENCH" flamegraph cut.data
    [ "$status" -eq 1 ]
    [ "${lines[0]}" = "bench: 'cut.data' is damaged: offset 1000: the file ends before its records do" ]
}
