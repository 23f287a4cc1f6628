# SPDX-License-Identifier: Apache-2.0
"""fold_script.py FOLDED [SHARE]: is FOLDED what `perf script` on standard input gives, folded?

perf script -F comm,pid,tid,period,event,ip,sym,dso --no-inline. Prints what differs; the exit status
is 0 when nothing does. Where perf finds a return address that it takes for a damaged mark, it leaves
out the whole stack; of those samples only the weight is compared. With SHARE, perf may lose its way
towards the root: then at least that share of the weight must have the frames that it did find.
"""
import collections
import re
import sys

SAMPLE = re.compile(r"^\s*(.*?)\s+-?\d+/-?\d+\s+(\d+)\s+\S.*?:\s*$")
FRAME = re.compile(r"^\s+([0-9a-f]+) (.*) \((.*?)\)$")


def frame_name(address, name, module, above):
    kernel = module == "[kernel.kallsyms]" or (module == "[unknown]" and int(address, 16) >> 63)
    kernel = kernel and all(f.endswith("_[k]") for f in above)
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
            frames.append(frame_name(frame[1], frame[2], frame[3], frames))
    return stacks


def folded(lines):
    stacks = collections.Counter()
    for line in lines:
        stack, weight = line.rsplit(" ", 1)
        stacks[stack] += int(weight)
    return stacks


def agreeing(theirs, ours):
    """How much of the weight is in stacks of ours that end as theirs do."""
    left, found = collections.Counter(ours), 0
    for stack, weight in sorted(theirs.items(), key=lambda item: -len(item[0])):
        comm, _, frames = stack.partition(";")
        frames = ";" + frames.rsplit("[unknown];", 1)[-1]
        for other in [o for o in left if o.startswith(comm + ";") and o.endswith(frames)]:
            taken = min(weight, left[other])
            left[other] -= taken
            weight -= taken
            found += taken
    return found


def nameless_vdso(stacks):
    """perf needs a copy of the vDSO that it does not always have; then names in it do not count."""
    plain = collections.Counter()
    for stack, weight in stacks.items():
        plain[re.sub(r"(?<=;)(__vdso_|__kernel_)\w+", "[vdso]", stack)] += weight
    return plain


def main():
    theirs = fold(sys.stdin)
    with open(sys.argv[1], encoding="utf-8") as f:
        ours = folded(f)
    if any(";[vdso]" in stack for stack in theirs):
        theirs, ours = nameless_vdso(theirs), nameless_vdso(ours)
    left_out = collections.Counter({s: w for s, w in theirs.items() if ";" not in s})
    theirs -= left_out
    more, less = ours - theirs, theirs - ours
    print(f"{len(theirs)} stacks of perf script, {len(ours)} folded, "
          f"weight {sum(theirs.values())} and {sum(ours.values())}")
    for stack, weight in list(less.items())[:5]:
        print(f"only perf script: {stack} {weight}")
    for stack, weight in list(more.items())[:5]:
        print(f"only folded: {stack} {weight}")
    if len(sys.argv) > 2:
        return agreeing(theirs, ours) < float(sys.argv[2]) * sum(ours.values())
    return bool(less or not theirs or sum(more.values()) != sum(left_out.values()))


sys.exit(main())
