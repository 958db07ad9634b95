# SPDX-License-Identifier: GPL-2.0-only
#
# make                    optee-top for this machine, in build/native
# make CROSS_COMPILE=aarch64-linux-gnu- [SYSROOT=…]   for a board, in build/arm64
# make demo               a real OP-TEE in QEMU, optee-top on it
# make check              the tests (LOADED=1: with a compiler at work on every CPU meanwhile)
# make check-all          those that take long, too
# make check-hosts        both on other releases of Debian, in chroots (PART=1: some of the tests)
# make bench              instructions a call
# make optee-ko [KERNEL=…] [OPTEE_SRC=…]   an optee.ko that takes admission policies
# make debug-kernel       a kernel with lockdep and KASAN, in build/vm/debug
# make check-debug        the policies' fault tests on it
# make xtest-policies     OP-TEE's own tests under every policy, an hour
# make policies           the policies of policies/, as BPF objects
# make validate [KERNEL=…] [OPTEE_KO=… | OPTEE_SRC=…]   judges a changed driver
# make fuzz               ten minutes of spoiled input of all kinds (FUZZ_SECONDS= FUZZ_TARGETS=)
# make install DESTDIR= prefix=
#
# V=1 shows the commands. WERROR=1 makes warnings errors: CI sets it, and nobody who builds
# with another compiler has to.

prefix	?= /usr/local
sysconfdir ?= /etc
VERSION	:= $(shell git describe --always --dirty 2>/dev/null || echo unknown)

ifeq ($(V),)
Q	:= @
say	= @printf '  %-7s %s\n' $(1) $(2);
else
Q	:=
say	=
endif

ERRORS	:= $(if $(filter 1,$(WERROR)),-Werror)

# For a make within this one: all CPUs, unless the user said how many.
JOBS	:= $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

ARCH	:= $(if $(CROSS_COMPILE),$(if $(findstring aarch64,$(CROSS_COMPILE)),arm64,$(CROSS_COMPILE:%-=%)),native)
OUT	:= build/$(ARCH)
GEN	:= build/gen

ifeq ($(origin CC),default)
CC	:= $(CROSS_COMPILE)gcc
endif
AR	:= $(CROSS_COMPILE)ar
HOSTCC	?= gcc
CLANG	?= clang
BPFTOOL	?= bpftool

# For devices with little storage: -O2 makes a static program 45 KB larger. It is worth it for
# what runs once per recorded call.
ifeq ($(origin CFLAGS),undefined)
CFLAGS	:= -Os -g
$(OUT)/record/%.o $(OUT)/source/recorder.o $(OUT)/collect/call_records.o: EXTRA_CFLAGS := -O2
endif
CFLAGS_ALL := -std=gnu11 -D_GNU_SOURCE -Wall -Wextra $(ERRORS) -Wformat=2 -Wshadow -MMD -MP \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -Iinclude -Isrc -I$(GEN) -DVERSION='"$(VERSION)"' $(if $(SYSROOT),--sysroot=$(SYSROOT)) $(CFLAGS)
# STATIC=1 makes a program that needs nothing on the device.
CFLAGS_ALL += $(if $(STATIC),-DNO_LOCALES)
LDFLAGS_ALL := $(if $(SYSROOT),--sysroot=$(SYSROOT)) $(if $(STATIC),-static) $(LDFLAGS)
LDLIBS	:= -lbpf -lelf -lz -lncursesw -ltinfo -ljansson

# src/ROOMS lists the directories of src/.
SRCS	:= $(filter-out src/command/gen_man.c,$(wildcard src/*.c src/*/*.c))
OBJS	:= $(SRCS:src/%.c=$(OUT)/%.o)
# What tests and tools link: all that does not need the BPF object.
LIB_SRCS := $(filter-out src/main.c $(shell grep -l 'probes\.\(skel\|bpf\)' src/*/*.c),$(SRCS))
BPF_SRCS := $(sort $(wildcard bpf/*.h)) include/abi.h include/optee_admission.h \
	vmlinux/optee_types.h vmlinux/optee_msg_abi.h vmlinux/vmlinux.h

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all guest demo check check-all check-hosts unit fuzz bench optee-ko policies debug-kernel check-debug xtest-policies validate install clean deps format

all: $(OUT)/optee-top build/optee-top.8

# The BPF programs: one object for every kernel, embedded in the program. bpftool
# works the object's own relocations in, a fifth of its size. Labels of its jumps are of no use.
BPF_FLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_arm64 -Wall -Wextra $(ERRORS) \
	-Wno-unused-parameter -Wno-unused-function -Ivmlinux -Iinclude -Ibpf

$(GEN)/probes.bpf.o: bpf/probes.bpf.c
$(GEN)/floor.bpf.o: tests/bench/floor.bpf.c
$(GEN)/witness.bpf.o $(GEN)/shadow.bpf.o: $(GEN)/%.bpf.o: tests/programs/policy/%.bpf.c \
	tests/programs/policy/witness.h tests/programs/policy/shadow.h include/optee_admission.h
$(GEN)/%.bpf.o: $(BPF_SRCS) Makefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_FLAGS) -c $(filter %.c,$^) -o $@.tmp
	$(Q)llvm-strip -g -w -N 'LBB*' $@.tmp
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm $@.tmp

# The program's own carries it gzipped: src/probe/bpf_object.c.
$(GEN)/probes.bpf.o.gz: $(GEN)/probes.bpf.o
	$(Q)gzip -9nc $< > $@

$(GEN)/probes.skel.h: $(GEN)/probes.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name probes_bpf | sed -e '/^static inline const void \*probes_bpf__elf_bytes(size_t \*sz);$$/d' \
		-e '/^static inline const void \*probes_bpf__elf_bytes(size_t \*sz)$$/,/^}$$/d' > $@

$(OUT)/probe/bpf_object.o: $(GEN)/probes.bpf.o.gz

# Terminals, for where there is no terminfo database.
$(GEN)/terminfo.h: src/view/terminfo.ti scripts/terminfo-header
	@mkdir -p $(@D)
	$(Q)scripts/terminfo-header $< vt100 linux xterm > $@

$(OUT)/view/terminal.o build/unit/src/view/terminal.o build/fuzz/src/view/terminal.o: $(GEN)/terminfo.h

# Admission policies. The program carries them, too, and 'policy build' has the same flags.
POLICIES := $(patsubst policies/%.c,build/policies/%.o,$(sort $(wildcard policies/*.c)))
POLICY_FLAGS := -g -O2 -target bpf -mcpu=v3 -Wall -Wextra
CARRIED	:= $(filter-out policies/template.c,$(sort $(wildcard policies/*.c)))

policies: $(POLICIES)

build/policies/%.o: policies/%.c policies/policy.h include/optee_admission.h Makefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(POLICY_FLAGS) $(ERRORS) -Iinclude -Ipolicies $(POLICY_DEFINES) -c $< -o $@

$(GEN)/policies/%.o: build/policies/%.o
	@mkdir -p $(@D)
	$(Q)llvm-strip -g -R .llvm_addrsig -o $@ $<

$(GEN)/policies.gz: $(CARRIED) $(CARRIED:policies/%.c=$(GEN)/policies/%.o) scripts/policy-blob
	$(Q)scripts/policy-blob $(GEN)/policies $(CARRIED) > $@.tmp
	$(Q)gzip -9nc $@.tmp > $@ && rm $@.tmp

$(OUT)/policy/policy_carried.o build/unit/src/policy/policy_carried.o: $(GEN)/policies.gz
%/command/cmd_policy_build.o: EXTRA_CFLAGS := -DPOLICY_FLAGS='"$(POLICY_FLAGS)"'

$(GEN)/%.skel.h: $(GEN)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(OBJS): | $(GEN)/probes.skel.h

$(OUT)/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(EXTRA_CFLAGS) -c $< -o $@

$(OUT)/optee-top: $(OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS)

# The manual comes from the same tables as the program.
MAN_SRCS := $(wildcard src/check/*.c src/options/*.c src/model/*.c src/base/*.c) src/render/json_keys.c \
	src/policy/policy_state_fields.c src/metrics/daemon_stats.c \
	src/command/commands.c src/command/help.c src/command/man.c src/metrics/alerts.c
MAN_OBJS := $(MAN_SRCS:src/%.c=build/man/%.o)

build/man/liboptee-top.a: $(MAN_OBJS)

build/man/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -D_GNU_SOURCE -MMD -MP -Iinclude -Isrc -c $< -o $@

$(OUT)/command/man.o build/man/command/man.o build/unit/src/command/man.o build/fuzz/src/command/man.o: man/optee-top.8.in

build/optee-top.8: build/man/command/gen_man.o build/man/liboptee-top.a
	$(call say,MAN,$@)
	$(Q)$(HOSTCC) -o build/man/gen-man $^ -ljansson && build/man/gen-man > $@

-include $(OBJS:.o=.d) $(MAN_OBJS:.o=.d)

install: all
	install -D -m 755 $(OUT)/optee-top $(DESTDIR)$(prefix)/sbin/optee-top
	install -D -m 644 build/optee-top.8 $(DESTDIR)$(prefix)/share/man/man8/optee-top.8
	install -d $(DESTDIR)$(prefix)/lib/systemd/system
	for unit in optee-top optee-top-push; do \
		sed 's,@sbindir@,$(prefix)/sbin,' systemd/$$unit.service.in > \
			$(DESTDIR)$(prefix)/lib/systemd/system/$$unit.service; done
	install -m 644 systemd/optee-top-push.timer $(DESTDIR)$(prefix)/lib/systemd/system/
	install -m 755 scripts/optee-top-push $(DESTDIR)$(prefix)/sbin/
	install -d $(DESTDIR)$(prefix)/share/optee-top/policy
	install -m 644 policies/*.c policies/policy.h include/optee_admission.h \
		$(DESTDIR)$(prefix)/share/optee-top/policy/
	install -D -m 644 systemd/optee-top.sysusers $(DESTDIR)$(prefix)/lib/sysusers.d/optee-top.conf
	[ -e $(DESTDIR)$(sysconfdir)/optee-top/daemon.conf ] || \
		install -D -m 644 systemd/daemon.conf $(DESTDIR)$(sysconfdir)/optee-top/daemon.conf

clean:
	rm -rf build/native build/arm64 build/gen build/man build/unit build/optee-top.8

deps:
	$(Q)scripts/host-deps build unit vm

# What runs in the guest, linked static against the packages of one suite.
SYSROOT_ARM64 := build/vm/sysroot
TEEC	:= build/vm/sysroot-teec

# Their makes within this one build some of what 'all' and 'policies' do: not at the same time.
guest check check-all: $(filter all policies,$(MAKECMDGOALS))

guest:
	$(Q)scripts/host-deps build vm
	$(Q)tests/vm/prepare sysroot
	$(Q)$(MAKE) $(JOBS) --no-print-directory $(if $(V),,-s) CROSS_COMPILE=aarch64-linux-gnu- STATIC=1 \
		SYSROOT=$(SYSROOT_ARM64) build/arm64/optee-top build/arm64/optee-load build/arm64/optee-load-demo \
		build/arm64/calling-plugin.so build/arm64/tee-account.so build/arm64/log-made build/arm64/crowd build/arm64/mob \
		build/arm64/hammer build/arm64/opens build/arm64/takers \
		build/arm64/policy-swaps build/arm64/policy-witness build/arm64/policy-shadow policies $(HOMES)

# What never was, for tests of what is made of it: a daemon's log, those of many devices,
# exports, expositions, printed and served.
MADE	:= log-made fleet-made export-made metrics-made metrics-served
$(OUT)/log-made: tests/programs/made/log-made.c tests/unit/log_made.h
$(OUT)/fleet-made: tests/programs/made/fleet-made.c
$(OUT)/export-made: tests/programs/made/export-made.c
$(OUT)/metrics-made $(OUT)/metrics-served: $(OUT)/metrics-%: tests/programs/made/metrics-%.c tests/programs/made/metrics_made.h
$(MADE:%=$(OUT)/%): $(OUT)/liboptee-top.a Makefile
	$(call say,CC,$@)
	$(Q)$(CC) $(filter-out -MMD -MP,$(CFLAGS_ALL)) $(LDFLAGS_ALL) -o $@ $(filter %.c,$^) $(filter %.a,$^) -ljansson -lz

%/liboptee-top.a:
	@rm -f $@
	$(Q)$(AR) qcs $@ $^

$(OUT)/liboptee-top.a: $(LIB_SRCS:src/%.c=$(OUT)/%.o)

LOAD_SRCS := $(addprefix tests/programs/load/,optee-load.c client.c account.c parse.c)

build/arm64/optee-load: $(LOAD_SRCS) tests/programs/load/load.h Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)aarch64-linux-gnu-gcc --sysroot=$(SYSROOT_ARM64) -std=gnu11 -O2 -Wall -Wextra $(ERRORS) \
		-Wformat=2 -Wshadow -isystem $(TEEC)/usr/include -o $@ $(LOAD_SRCS) \
		-L$(TEEC)/usr/lib/aarch64-linux-gnu -lteec -pthread \
		-Wl,--unresolved-symbols=ignore-in-shared-libs

build/arm64/optee-load-demo: tests/programs/load/demo.sh
	$(Q)install -D $< $@

# What a daemon has to put up with, and what the driver has.
build/arm64/crowd build/arm64/mob: build/arm64/%: tests/programs/daemon/%.c
build/arm64/hammer build/arm64/opens build/arm64/takers: build/arm64/%: tests/programs/hostile/%.c
build/arm64/crowd build/arm64/mob build/arm64/hammer build/arm64/opens build/arm64/takers: Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)aarch64-linux-gnu-gcc --sysroot=$(SYSROOT_ARM64) -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra \
		$(ERRORS) -Wformat=2 -Wshadow -static -pthread -o $@ $(filter %.c,$^)

# For programs that give no account of their own.
build/arm64/tee-account.so: tests/programs/lib/tee-account.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)aarch64-linux-gnu-gcc --sysroot=$(SYSROOT_ARM64) -std=gnu11 -O2 -Wall -Wextra $(ERRORS) \
		-Wformat=2 -Wshadow -fPIC -shared -o $@ $<

# For tee-supplicant: not among the programs that every guest gets.
build/arm64/calling-plugin.so: tests/programs/lib/calling-plugin.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)aarch64-linux-gnu-gcc --sysroot=$(SYSROOT_ARM64) -std=gnu11 -O2 -Wall -Wextra $(ERRORS) \
		-Wformat=2 -Wshadow -fPIC -shared -isystem $(TEEC)/usr/include -o $@ $< \
		-L$(TEEC)/usr/lib/aarch64-linux-gnu -lteec -pthread \
		-Wl,--unresolved-symbols=ignore-in-shared-libs

# Unit tests: the plain C of src/, under the sanitizers, without root. It is one library,
# so that a change costs a compilation and a link, and not a link of every test.
UNIT_TESTS := $(patsubst tests/unit/%.c,build/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_OBJS := $(LIB_SRCS:src/%.c=build/unit/src/%.o)
UNIT_CC := $(HOSTCC) -std=gnu11 -D_GNU_SOURCE -g -O1 -fPIC -Wall -Wextra $(ERRORS) -MMD -MP -Iinclude -Isrc \
	-I$(GEN) -DVERSION='"unit"' -fsanitize=address,undefined -fno-sanitize-recover=all

build/unit/src/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(UNIT_CC) $(EXTRA_CFLAGS) -c -o $@ $<

build/unit/liboptee-top.so: $(UNIT_OBJS)
	$(call say,LD,$@)
	$(Q)$(UNIT_CC) -shared -o $@ $^ $(LDLIBS)

build/unit/test_%.o: tests/unit/test_%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(UNIT_CC) -Ibpf -Ivmlinux -c -o $@ $<

$(UNIT_TESTS): build/unit/test_%: build/unit/test_%.o | build/unit/liboptee-top.so
	$(Q)$(UNIT_CC) -o $@ $^ -Lbuild/unit -loptee-top -Wl,-rpath,'$$ORIGIN' \
		-Wl,--unresolved-symbols=ignore-in-shared-libs -lcmocka -lbpf -ljansson -lz

build/unit/test_fuzz_corpus.o: $(wildcard tests/fuzz/*.[ch])

# Policies as plain functions: one program has them all.
UNIT_POLICIES := $(patsubst policies/%.c,build/unit/policies/%.o,$(sort $(wildcard policies/*.c)))

build/unit/policies/%.o: policies/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(UNIT_CC) -Dpolicy=policy_$(subst -,_,$*) -c -o $@ $<

build/unit/test_policies: $(UNIT_POLICIES)

-include $(UNIT_OBJS:.o=.d) $(UNIT_POLICIES:.o=.d) $(UNIT_TESTS:=.d)

format:
	$(Q)scripts/format

unit: $(UNIT_TESTS) build/unit/liboptee-top.so
	$(Q)scripts/format --check
	$(Q)scripts/check-rooms $(HOSTCC)
	$(Q)$(MAKE) $(JOBS) -k -O --no-print-directory $(UNIT_TESTS:build/unit/%=run-%)

# What a newer compiler's sanitizer looks for unasked, an older one's does, too.
$(UNIT_TESTS:build/unit/%=run-%): run-%:
	$(Q)ASAN_OPTIONS=detect_stack_use_after_return=1 build/unit/$*

# What comes from outside, each with a fuzzer: FUZZ_SECONDS are for all of them together. A
# finding is in build/fuzz, and goes to tests/fuzz/corpus once it is fixed.
FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_CC	:= $(CLANG) -std=gnu11 -D_GNU_SOURCE -g -O1 -fno-sanitize-recover=all -MMD -MP -Iinclude -Isrc \
	-I$(GEN) -DVERSION='"fuzz"'
FUZZ_OBJS := $(LIB_SRCS:src/%.c=build/fuzz/src/%.o)

build/fuzz/liboptee-top.a: $(FUZZ_OBJS)

build/fuzz/src/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(FUZZ_CC) $(EXTRA_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<

$(FUZZ_TARGETS:%=build/fuzz/%): build/fuzz/%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h build/fuzz/liboptee-top.a
	$(call say,CC,$@)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $(filter %.c,$^) $(filter %.a,$^) -lbpf -lelf -ljansson -lz

-include $(FUZZ_OBJS:.o=.d)

# What a daemon sends, for tests/fuzz/seed.py --stream: a new schema needs a new seed.
build/unit/seed-stream: tests/fuzz/seed_stream.c tests/unit/recording_made.h | build/unit/liboptee-top.so
	$(Q)$(UNIT_CC) -o $@ $< -Lbuild/unit -loptee-top -Wl,-rpath,'$$ORIGIN' \
		-Wl,--unresolved-symbols=ignore-in-shared-libs -lcmocka -lbpf -ljansson -lz

fuzz:
	$(Q)scripts/host-deps build unit fuzz
	$(Q)$(MAKE) --no-print-directory $(FUZZ_TARGETS:%=build/fuzz/%)
	$(Q)tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

build/arm64/bench-%: tests/bench/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)aarch64-linux-gnu-gcc --sysroot=$(SYSROOT_ARM64) -std=gnu11 -O2 -Wall -Wextra $(ERRORS) -static \
		-I$(GEN) -o $@ $< -lbpf -lelf -lz

build/arm64/bench-floor: $(GEN)/floor.skel.h

bench: guest
	$(Q)$(MAKE) --no-print-directory build/arm64/bench-floor build/arm64/bench-meter
	$(Q)tests/bench/run

check check-all:
	$(Q)scripts/host-deps build unit vm
	$(Q)tests/check $(if $(filter check-all,$@),--all) $(if $(LOADED),--loaded)

check-hosts:
	$(Q)tests/check-hosts $(if $(PART),--part) $(RELEASES)

# The driver that takes admission policies.
optee-ko:
	$(Q)scripts/host-deps build vm
	$(Q)kernel/build $(if $(KERNEL),--kernel '$(KERNEL)') $(if $(OPTEE_SRC),--src '$(OPTEE_SRC)')

# The tests on a kernel that looks for mistakes; what is timed may take SLOW times as long.
DEBUG_TESTS := debug_kernel policy_ejected policy_refused policy_swaps policy_goes policy_uncounted \
	policy_deadlock policy_rules_2
SLOW	?= 4

debug-kernel:
	$(Q)scripts/host-deps build vm debug
	$(Q)tests/vm/prepare debug

check-debug: debug-kernel guest
	$(Q)OPTEE_TOP_NO_MAKE=1 OPTEE_TOP_KERNEL=$(CURDIR)/build/vm/debug OPTEE_TOP_SLOW=$(SLOW) \
		tests/check --guest-only --out build/check-debug $(DEBUG_TESTS:%=-k %)

xtest-policies: guest
	$(Q)OPTEE_TOP_NO_MAKE=1 tests/xtest-policies

# A policy of this machine, to compare with what the enforced one did.
HOMES	:= $(POLICIES:build/policies/%.o=build/homes/%)

build/homes/%: policies/%.c tests/programs/policy/native.c tests/programs/policy/replay.h tests/programs/policy/witness.h \
		policies/policy.h include/optee_admission.h Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(HOSTCC) -std=gnu11 -g -O2 -Wall -Wextra $(ERRORS) -Iinclude -Ipolicies \
		-fsanitize=undefined -fno-sanitize-recover=all -o $@ tests/programs/policy/native.c $<

build/arm64/policy-swaps: tests/programs/policy/swaps.c src/policy/policy_link.c src/policy/policy_link.h Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)aarch64-linux-gnu-gcc --sysroot=$(SYSROOT_ARM64) -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra \
		$(ERRORS) -static -Isrc -o $@ $(filter %.c,$^) -lbpf -lelf -lz

# Whether the homes of a policy agree: tests/guest/homes.py.
build/arm64/policy-witness build/arm64/policy-shadow: build/arm64/policy-%: tests/programs/policy/%.c \
		$(wildcard tests/programs/policy/*.h) $(GEN)/%.skel.h Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)aarch64-linux-gnu-gcc --sysroot=$(SYSROOT_ARM64) -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra \
		$(ERRORS) -static -Iinclude -I$(GEN) -o $@ $< -lbpf -lelf -lz

# Of a driver: an optee.ko, or a directory with the files of drivers/tee/optee.
validate: guest
	$(Q)OPTEE_TOP_NO_MAKE=1 tests/validate $(if $(KERNEL),--kernel '$(KERNEL)') \
		$(if $(OPTEE_KO),--ko '$(OPTEE_KO)') $(if $(OPTEE_SRC),--src '$(OPTEE_SRC)')

demo: guest
	$(Q)tests/demo
