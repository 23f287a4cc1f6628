# SPDX-License-Identifier: Apache-2.0
"""fold_script.py FOLDED: is FOLDED what `perf script` on standard input gives, folded?

perf script -F comm,pid,tid,period,event,ip,sym,dso --no-inline. Prints what differs; the exit status
is 0 when nothing does. Where perf finds a return address that it takes for a damaged mark, it leaves
out the whole stack; of those samples only the weight is compared.
"""
import collections
import re
import sys

SAMPLE = re.compile(r"^\s*(.*?)\s+-?\d+/-?\d+\s+(\d+)\s+\S.*?:\s*$")
FRAME = re.compile(r"^\s+[0-9a-f]+ (.*) \((.*?)\)$")


def frame_name(name, module, above):
    kernel = module == "[kernel.kallsyms]" and all(f.endswith("_[k]") for f in above)
    if name == "[unknown]" and kernel:
        name = "[kernel]"
    elif name == "[unknown]" and module != "[unknown]":
        module = module.rsplit("/", 1)[-1]
        name = module if module.startswith("[") else "[" + module + "]"
    return name + ("_[k]" if kernel else "")


def fold(lines):
    stacks, comm, period, frames = collections.Counter(), None, 0, []
    for line in list(lines) + [""]:
        line = line.rstrip("\n")
        if not line.strip():
            if comm is not None:
                stacks[";".join([comm] + frames[::-1])] += period
            comm, frames = None, []
        elif comm is None:
            sample = SAMPLE.match(line)
            comm, period = sample[1], int(sample[2])
        else:
            frame = FRAME.match(line)
            frames.append(frame_name(frame[1], frame[2], frames))
    return stacks


def folded(lines):
    stacks = collections.Counter()
    for line in lines:
        stack, weight = line.rsplit(" ", 1)
        stacks[stack] += int(weight)
    return stacks


def main():
    theirs = fold(sys.stdin)
    with open(sys.argv[1], encoding="utf-8") as f:
        ours = folded(f)
    left_out = collections.Counter({s: w for s, w in theirs.items() if ";" not in s})
    theirs -= left_out
    more, less = ours - theirs, theirs - ours
    print(f"{len(theirs)} stacks of perf script, {len(ours)} folded, "
          f"weight {sum(theirs.values())} and {sum(ours.values())}")
    for stack, weight in list(less.items())[:5]:
        print(f"only perf script: {stack} {weight}")
    for stack, weight in list(more.items())[:5]:
        print(f"only folded: {stack} {weight}")
    return bool(less or not theirs or sum(more.values()) != sum(left_out.values()))


sys.exit(main())
