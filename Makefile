# SPDX-License-Identifier: Apache-2.0
#
# make demo      install what is missing, build, compare none with nginx
# make test      install what is missing, build, run every test
# make           build only; make check: test only; make help lists the rest

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

# libpfm4 and libcgroup of Debian 12: the former has no .pc file.
PACKAGES := yaml-0.1 jansson libcgroup nettle libelf
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wformat=2 -Wundef -Wvla
base_cflags := -std=gnu11 -D_GNU_SOURCE -fno-omit-frame-pointer -MMD -MP -Iinclude $(warnings) \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
core_cflags = $(base_cflags) -Icore -DBENCH_VERSION='"$(VERSION)"' -DPLUGINDIR='"$(PLUGINDIR)"' \
	-DSCENARIODIR='"$(DATADIR)/bench/scenarios"' $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
core_libs = $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null) -lpfm -lm
link_flags = $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))

core_sources := $(sort $(wildcard core/*/*.c))
core_objects := $(core_sources:%.c=$(BUILD)/%.o)
plugin_sources := $(sort $(wildcard plugins/*/*.c))
plugins := $(plugin_sources:%.c=$(BUILD)/%.so)
unit_sources := $(sort $(wildcard tests/unit/*/test_*.c tests/plugins/test_*.c))
units := $(unit_sources:%.c=$(BUILD)/%)
fake_sources := $(sort $(wildcard tests/fakes/*.c))
fakes := $(patsubst tests/fakes/%.c,$(BUILD)/tests/fakes/%,$(filter-out tests/fakes/plugin_%,$(fake_sources))) \
	$(patsubst tests/fakes/%.c,$(BUILD)/tests/fakes/%.so,$(filter tests/fakes/plugin_%,$(fake_sources)))

all: $(BUILD)/bench $(plugins)

$(BUILD)/libbenchcore.a: $(core_objects)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/bench: $(BUILD)/core/main.o $(BUILD)/libbenchcore.a
	$(CC) $(link_flags) -o $@ $^ $(core_libs)

$(BUILD)/core/%.o: core/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(core_cflags) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# Plugins see include/bench and nothing else.
$(BUILD)/plugins/%.so: plugins/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(base_cflags) $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -shared $(link_flags) -o $@ $< -pthread -lm

$(BUILD)/tests/fakes/%.so: tests/fakes/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(base_cflags) $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -shared $(link_flags) -o $@ $<

$(BUILD)/tests/fakes/%: tests/fakes/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(base_cflags) $(CPPFLAGS) $(CFLAGS) $(link_flags) -o $@ $< -pthread

$(BUILD)/tests/%: tests/%.c $(BUILD)/libbenchcore.a Makefile
	@mkdir -p $(@D)
	$(CC) $(core_cflags) $(CPPFLAGS) $(CFLAGS) $(link_flags) -o $@ $< $(BUILD)/libbenchcore.a $(core_libs) -lcmocka

check-layers:
	tests/layers

tests: all $(units) $(fakes)

check: tests
	BUILD=$(BUILD) tests/run

clean:
	rm -rf $(BUILD)

.PHONY: all tests check check-layers clean
.SECONDARY:

-include $(core_objects:.o=.d) $(BUILD)/core/main.d $(plugins:.so=.d) $(units:=.d) $(fakes:=.d)
