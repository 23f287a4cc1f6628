# SPDX-License-Identifier: Apache-2.0
#
## make demo        install what is missing, build, compare none with nginx
## make test        install what is missing, build, run every test
## make             build only
## make check       build and run the tests; tests/run NAME… runs some
## make check-truth whether numbers and verdicts are true, as root and alone on the machine, in 80 minutes:
##                  make check-measures the numbers, in three; make check-verdicts the verdicts on real runs
## make test-vm     control groups of version 1 and 2 in an emulated machine: their tests, and runs of bench
## make check-faults every call of the bench that can fail does so once, in hours; the suite tries some
## make fuzz        parsers under libFuzzer (clang), FUZZ_SECONDS each
## make perf        bench against iperf3, neper and a plain echo; tests/perf/run NAME… runs some
## make docs        rewrites the generated part of docs/scenario.md
## make install     into PREFIX (/usr/local), below DESTDIR
## make uninstall   removes what that put there
## make clean       removes the build
## make check-layers, make help
##
## Variables: CC, CFLAGS, BUILD (directory), SANITIZE (address,undefined), PREFIX, DESTDIR

VERSION := 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
PLUGINDIR ?= $(LIBDIR)/bench

CC ?= cc
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
SANITIZE ?=
BUILD ?= build$(if $(SANITIZE),/sanitize)

# As Debian 12 has them; libpfm4 and libiberty have no .pc file.
PACKAGES := yaml-0.1 jansson libbpf libcgroup nettle libdw libelf libseccomp sqlite3 zlib
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wformat=2 -Wundef -Wvla
base_cflags := -std=gnu11 -D_GNU_SOURCE -fno-omit-frame-pointer -MMD -MP -Iinclude $(warnings) \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
core_cflags = $(base_cflags) -Icore -DBENCH_VERSION='"$(VERSION)"' -DPLUGINDIR='"$(PLUGINDIR)"' \
	-DSCENARIODIR='"$(DATADIR)/bench/scenarios"' $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
core_libs = $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null) -lpfm -liberty -lm
link_flags = $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))

# What is compiled in beside the sources: when it changes, everything is built again.
flags := $(BUILD)/flags
flags_now := $(VERSION) $(CC) $(CFLAGS) $(CPPFLAGS) $(SANITIZE) $(PLUGINDIR) $(DATADIR)

core_sources := $(sort $(wildcard core/*/*.c))
core_objects := $(core_sources:%.c=$(BUILD)/%.o)
# A plugin is one file, plugins/KIND/NAME.c, or a folder of them, plugins/KIND/NAME/*.c. What several
# use lies in plugins/shared; the linker takes from it what a plugin calls. libs_NAME: its libraries.
plugin_kinds := workloads relays reporters
plugin_files := $(sort $(foreach kind,$(plugin_kinds),$(wildcard plugins/$(kind)/*.c)))
plugin_folders := $(sort $(patsubst %/,%,$(dir $(foreach kind,$(plugin_kinds),$(wildcard plugins/$(kind)/*/*.c)))))
plugin_names := $(sort $(plugin_files:%.c=%) $(plugin_folders))
plugins := $(plugin_names:%=$(BUILD)/%.so)
plugin_objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1).c $(1)/*.c))
libs_iperf3 = $(shell $(PKG_CONFIG) --libs jansson)
libs_command = $(libs_iperf3)
libs_wrk = $(libs_iperf3)
shared_objects := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard plugins/shared/*.c)))
unit_sources := $(sort $(wildcard tests/unit/*/test_*.c tests/plugins/test_*.c))
units := $(unit_sources:%.c=$(BUILD)/%)
fake_sources := $(sort $(wildcard tests/fakes/*.c))
# Libraries: plugins, and what a test preloads.
fake_libraries := $(filter tests/fakes/plugin_% tests/fakes/preload_%,$(fake_sources))
fakes := $(patsubst tests/fakes/%.c,$(BUILD)/tests/fakes/%,$(filter-out $(fake_libraries),$(fake_sources))) \
	$(fake_libraries:tests/fakes/%.c=$(BUILD)/tests/fakes/%.so)

replays := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/fuzz/*.c)))

all: $(BUILD)/bench $(plugins)

$(BUILD)/libbenchcore.a: $(core_objects)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/bench: $(BUILD)/core/main.o $(BUILD)/libbenchcore.a
	$(CC) $(link_flags) -o $@ $^ $(core_libs)

$(flags): FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(flags_now))' | cmp -s - $@ || echo '$(subst ','\'',$(flags_now))' >$@

$(BUILD)/core/%.o: core/%.c Makefile $(flags)
	@mkdir -p $(@D)
	$(CC) $(core_cflags) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# Compiled in as they are.
$(BUILD)/core/profile/flamegraph.o: core/profile/flamegraph.css core/profile/flamegraph.js

# Plugins see include/bench, plugins/shared and their own folder, and nothing else.
$(BUILD)/plugins/%.o: plugins/%.c Makefile $(flags)
	@mkdir -p $(@D)
	$(CC) $(base_cflags) -Iplugins $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -pthread -c -o $@ $<

define plugin_rule
$(BUILD)/$(1).so: $(call plugin_objects,$(1)) $(BUILD)/plugins/libshared.a
	$$(CC) $$(base_cflags) $$(CFLAGS) -fPIC -shared $$(link_flags) -o $$@ $$(filter %.o %.a,$$^) -pthread -Wl,--as-needed $$(libs_$(notdir $(1))) -lm
endef
$(foreach name,$(plugin_names),$(eval $(call plugin_rule,$(name))))

$(BUILD)/plugins/libshared.a: $(shared_objects) Makefile $(flags)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $(shared_objects)

$(BUILD)/tests/fakes/%.so: tests/fakes/%.c Makefile $(flags)
	@mkdir -p $(@D)
	$(CC) $(base_cflags) $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -shared $(link_flags) -o $@ $<

$(BUILD)/tests/fakes/%: tests/fakes/%.c Makefile $(flags)
	@mkdir -p $(@D)
	$(CC) $(base_cflags) $(CPPFLAGS) $(CFLAGS) $(link_flags) -o $@ $< -pthread

# Compiled apart from linking: a change of the core only links the tests again.
$(BUILD)/tests/%.o: tests/%.c Makefile $(flags)
	@mkdir -p $(@D)
	$(CC) $(core_cflags) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# A fuzzer without its fuzzing: it takes files.
$(BUILD)/tests/fuzz/fuzz_%: tests/fuzz/fuzz_%.c tests/harness/seeds.c $(BUILD)/libbenchcore.a Makefile $(flags)
	@mkdir -p $(@D)
	$(CC) $(core_cflags) -Iplugins $(CPPFLAGS) $(CFLAGS) $(link_flags) -o $@ $(filter %.c %.a,$^) $(core_libs)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libbenchcore.a
	$(CC) $(CFLAGS) $(link_flags) -o $@ $(filter %.o %.a,$^) $(core_libs) -lcmocka

check-layers:
	tests/layers

# Calls of the bench that fail: tests/fault/calls.
failing_calls := $(BUILD)/tests/harness/failing_calls.so

$(failing_calls): tests/harness/failing_calls.c Makefile $(flags)
	@mkdir -p $(@D)
	$(CC) $(base_cflags) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $< -ldl

tests: all $(units) $(fakes) $(replays) $(failing_calls)

check: tests
	BUILD=$(BUILD) tests/run

test:
	tools/install-packages test
	$(MAKE) --no-print-directory -j$$(nproc) tests
	$(MAKE) --no-print-directory check

demo:
	tools/install-packages demo
	$(MAKE) --no-print-directory -j$$(nproc) all
# Also on a machine on which others are at work: a verdict is shown, and that they were.
	$(BUILD)/bench compare scenarios/none-vs-nginx.yaml --reject nothing

# Everything that is installed, as "MODE SOURCE TARGET"; uninstall removes the same targets.
headers := $(wildcard include/bench/*.h)
scenarios := $(wildcard scenarios/*.yaml)
installed = \
	755:$(BUILD)/bench:$(BINDIR)/bench \
	644:$(BUILD)/bench.pc:$(LIBDIR)/pkgconfig/bench.pc \
	$(foreach f,$(headers),644:$(f):$(INCLUDEDIR)/bench/$(notdir $(f))) \
	$(foreach f,$(plugins),755:$(f):$(PLUGINDIR)/$(f:$(BUILD)/plugins/%=%)) \
	$(foreach f,$(scenarios),644:$(f):$(DATADIR)/bench/scenarios/$(notdir $(f)))

# Paths below the prefix stay relative to it, so that pkg-config --define-prefix works.
relative = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))
$(BUILD)/bench.pc: Makefile $(flags)
	@printf '%s\n' 'prefix=$(PREFIX)' 'includedir=$(call relative,$(INCLUDEDIR))' \
		'plugindir=$(call relative,$(PLUGINDIR))' '' 'Name: bench' \
		'Description: headers for plugins of bench, the test bench for relays' \
		'Version: $(VERSION)' 'Cflags: -I$${includedir}' >$@

install: all $(BUILD)/bench.pc
	@set -e; for item in $(installed); do \
		mode=$${item%%:*}; rest=$${item#*:}; \
		install -D -m "$$mode" "$${rest%%:*}" "$(DESTDIR)$${rest#*:}"; \
	done
	@echo 'installed below $(DESTDIR)$(PREFIX)'

uninstall:
	@for item in $(installed); do rm -f "$(DESTDIR)$${item##*:}"; done
	@for directory in $(PLUGINDIR)/workloads $(PLUGINDIR)/relays $(PLUGINDIR)/reporters $(PLUGINDIR) \
		$(INCLUDEDIR)/bench $(DATADIR)/bench/scenarios $(DATADIR)/bench; do \
		rmdir "$(DESTDIR)$$directory" 2>/dev/null || :; \
	done

help:
	@sed -n 's/^## \{0,1\}//p' Makefile

# Control groups as other hosts have them: version 2, delegated to an ordinary user, version 1, both.
# Roles, and bench with a real relay, where they differ most from the machine that builds this.
in_vm := $(BUILD)/tests/unit/process
nginx_stream = $(firstword $(wildcard /usr/lib/nginx/modules/ngx_stream_module.so \
	/usr/lib64/nginx/modules/ngx_stream_module.so))

test-vm: all $(in_vm)/test_cgroup $(in_vm)/test_role $(fakes)
	tools/install-packages test
	BUILD=$(BUILD) tests/vm/run $(in_vm)/test_cgroup
	BUILD=$(BUILD) tests/vm/run -m v2 -m delegated -a $(BUILD)/tests/fakes \
		-a $(BUILD)/plugins -a scenarios -a nginx -a jq $(nginx_stream:%=-a %) \
		$(in_vm)/test_role '$(BUILD)/bench run scenarios/smoke.yaml -q -o /tmp/smoke' \
		'$(BUILD)/bench run -r none,nginx --hops 1 --cpu-limit 0.5 --repeat 1 -q -o /tmp/limited' \
		'tests/vm/judge $(BUILD)/bench /tmp/smoke /tmp/limited'

# Parsers under libFuzzer, each for FUZZ_SECONDS; needs clang.
fuzzers := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*.c))
FUZZ_SECONDS ?= 10

# The core is compiled once for all of them. What UBSan finds ends the program, or nothing would fail.
fuzz_cflags = $(core_cflags) -Iplugins -g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz_core := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(filter-out core/cli/%,$(core_sources)))

$(BUILD)/fuzz/core/%.o: core/%.c Makefile
	@mkdir -p $(@D)
	clang $(fuzz_cflags) -c -o $@ $<

$(BUILD)/fuzz/core/profile/flamegraph.o: core/profile/flamegraph.css core/profile/flamegraph.js

$(BUILD)/fuzz/%: tests/fuzz/%.c $(fuzz_core)
	clang $(fuzz_cflags) -fsanitize=fuzzer -o $@ $^ $(core_libs)

fuzz: $(fuzzers)
	@set -e; for fuzzer in $^; do \
		mkdir -p $$fuzzer.corpus; \
		$$fuzzer -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$$fuzzer- $$fuzzer.corpus \
			tests/fuzz/seeds/$$(basename $$fuzzer); \
	done

# The acceptance of the project. Alone on the machine, or nothing can be told.
check-truth:
	@status=0; for part in check-measures check-verdicts; do $(MAKE) $$part || status=1; done; exit $$status

# Whether what is measured is true.
truths := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/truth/*.c))

check-measures: all $(truths) $(BUILD)/tests/fakes/slow_start $(BUILD)/tests/unit/capture/test_counters
	@status=0; for truth in $(truths); do $$truth || status=1; done; \
	for script in tests/truth/*.sh; do BUILD=$(BUILD) bash $$script || status=1; done; exit $$status

# As root. EXPERIMENTS=1 BLOCKS=6 REJECT=nothing tries it; tests/truth/verdicts NAME… runs some.
check-verdicts: all
	BUILD=$(BUILD) tests/truth/verdicts

check-faults: all $(failing_calls)
	BUILD=$(BUILD) tests/fault/calls

# Bench against others. Alone on the machine, or the numbers mean nothing.
perf_programs := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/perf/*.c))

$(BUILD)/tests/perf/%: tests/perf/%.c $(BUILD)/libbenchcore.a Makefile $(flags)
	@mkdir -p $(@D)
	$(CC) $(core_cflags) $(CPPFLAGS) $(CFLAGS) $(link_flags) -o $@ $< $(BUILD)/libbenchcore.a $(core_libs) -pthread

perf:
	tools/install-packages perf
	$(MAKE) --no-print-directory -j$$(nproc) all $(perf_programs)
	BUILD=$(BUILD) tests/perf/run

# The test compares; asked to, it writes.
docs: $(plugins) $(BUILD)/tests/unit/scenario/test_document
	BUILD=$(BUILD) BENCH_UPDATE_DOCS=1 $(BUILD)/tests/unit/scenario/test_document

clean:
	rm -rf $(BUILD)

FORCE:

.PHONY: all tests check check-layers check-truth check-measures check-verdicts check-faults test test-vm docs fuzz perf demo install uninstall help clean FORCE
.SECONDARY:

-include $(core_objects:.o=.d) $(BUILD)/core/main.d \
	$(foreach name,$(plugin_names),$(patsubst %.o,%.d,$(call plugin_objects,$(name)))) $(shared_objects:.o=.d) $(units:=.d) $(addsuffix .d,$(patsubst %.so,%,$(fakes))) $(truths:=.d) $(perf_programs:=.d) $(fuzz_core:.o=.d)
