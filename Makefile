# SPDX-License-Identifier: GPL-2.0-only
#
# make                    optee-top for this machine, in build/native
# make CROSS_COMPILE=aarch64-linux-gnu- [SYSROOT=…]   for a board, in build/arm64;
#                         arm-linux-gnueabihf- for one with 32 bits, in build/arm
# make demo               a real OP-TEE in QEMU, optee-top on it
# make check              the tests (LOADED=1: with a compiler at work on every CPU meanwhile)
# make check-all          those that take long, too
# make check-matrix       on each kernel, ABI and architecture that tests/matrix/results lacks; hours
# make check-hosts        demo and check on other releases of Debian, in chroots (PART=1: some of the tests)
# make unit               the unit tests, and the checks of style and layout
# make bench              instructions a call
# make optee-ko [KERNEL=…] [OPTEE_SRC=…]   an optee.ko that takes admission policies
# make debug-kernel       a kernel with lockdep and KASAN, in build/vm/debug
# make check-debug        the policies' fault tests on it
# make min-btf VMLINUX=… [OPTEE_KO=…] [BTF=…]   types of a kernel that has none, for --btf
# make xtest-policies     OP-TEE's own tests under every policy, an hour
# make policies           the policies of policies/, as BPF objects
# make validate [KERNEL=…] [OPTEE_KO=… | OPTEE_SRC=…]   judges a changed driver
# make upstream-check   the patches for the kernel apply and build, one by one
# make evidence [ONLY=…]   measures what upstream/results lacks, and writes upstream/EVIDENCE.md; hours
# make fuzz               ten minutes of spoiled input of all kinds (FUZZ_SECONDS= FUZZ_TARGETS=)
# make install DESTDIR= prefix=   (sbindir= datadir= mandir= unitdir= sysusersdir= sysconfdir=)
#
# V=1 shows the commands. WERROR=1 makes warnings errors: CI sets it, and nobody who builds
# with another compiler has to. CPPFLAGS, CFLAGS and LDFLAGS are those of the program.
#
# What is built from a directory is in the fragment there: DIRECTORY.mk. No file is named that
# a pattern finds.

prefix	?= /usr/local
sbindir	?= $(prefix)/sbin
datadir	?= $(prefix)/share
mandir	?= $(datadir)/man
unitdir	?= $(prefix)/lib/systemd/system
sysusersdir ?= $(prefix)/lib/sysusers.d
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

# For a make within this one: all CPUs, unless the user said how many. MAKEFLAGS has that in
# recipes only.
JOBS	= $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

ARCH	:= $(if $(CROSS_COMPILE),$(or $(and $(findstring aarch64,$(CROSS_COMPILE)),arm64), \
	$(and $(filter arm-%,$(notdir $(CROSS_COMPILE))),arm),$(CROSS_COMPILE:%-=%)),native)
OUT	:= build/$(ARCH)
GEN	:= build/gen$(if $(filter arm,$(ARCH)),-arm)

ifeq ($(origin CC),default)
CC	:= $(CROSS_COMPILE)gcc
endif
AR	:= $(CROSS_COMPILE)ar
HOSTCC	?= gcc
CLANG	?= clang
BPFTOOL	?= bpftool

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all install clean deps format guest guest-arm demo check check-all check-matrix check-hosts optee-ko debug-kernel \
	check-debug xtest-policies validate min-btf

all: $(OUT)/optee-top build/optee-top.8

include bpf/bpf.mk policies/policies.mk src/src.mk man/man.mk
include tests/programs/programs.mk tests/bench/bench.mk tests/unit/unit.mk tests/fuzz/fuzz.mk
include upstream/upstream.mk

install: all
	install -D -m 755 $(OUT)/optee-top $(DESTDIR)$(sbindir)/optee-top
	install -m 755 scripts/optee-top-push $(DESTDIR)$(sbindir)/
	install -D -m 644 build/optee-top.8 $(DESTDIR)$(mandir)/man8/optee-top.8
	install -d $(DESTDIR)$(unitdir) $(DESTDIR)$(datadir)/optee-top/policy
	for unit in optee-top optee-top-push; do \
		sed 's,@sbindir@,$(sbindir),' systemd/$$unit.service.in > \
			$(DESTDIR)$(unitdir)/$$unit.service; done
	install -m 644 systemd/optee-top-push.timer $(DESTDIR)$(unitdir)/
	install -m 644 policies/*.c policies/policy.h include/optee_admission.h \
		$(DESTDIR)$(datadir)/optee-top/policy/
	install -D -m 644 systemd/optee-top.sysusers $(DESTDIR)$(sysusersdir)/optee-top.conf
	[ -e $(DESTDIR)$(sysconfdir)/optee-top/daemon.conf ] || \
		install -D -m 644 systemd/daemon.conf $(DESTDIR)$(sysconfdir)/optee-top/daemon.conf

clean:
	rm -rf $(OUT) build/native build/arm64 build/arm build/gen build/gen-arm build/homes build/man build/policies build/unit \
		build/optee-top.8

deps:
	$(Q)scripts/host-deps build unit vm

format:
	$(Q)scripts/format

# Their makes within this one build some of what 'all' and 'policies' do: not at the same time.
guest check check-all: $(filter all policies,$(MAKECMDGOALS))

guest:
	$(Q)scripts/host-deps build vm
	$(Q)tests/vm/prepare sysroot
	$(Q)$(MAKE) $(JOBS) --no-print-directory $(if $(V),,-s) CROSS_COMPILE=aarch64-linux-gnu- STATIC=1 \
		SYSROOT=$(SYSROOT_ARM64) build/arm64/optee-top build/arm64/log-made $(GUEST_PROGRAMS) \
		$(HOMES) policies

# What a guest of 32-bit Arm gets.
guest-arm:
	$(Q)scripts/host-deps build vm arm
	$(Q)tests/vm/prepare sysroot-arm
	$(Q)$(MAKE) $(JOBS) --no-print-directory $(if $(V),,-s) CROSS_COMPILE=arm-linux-gnueabihf- STATIC=1 \
		SYSROOT=$(SYSROOT_ARM) build/arm/optee-top build/arm/optee-load

demo: guest
	$(Q)tests/demo

check check-all:
	$(Q)scripts/host-deps build unit vm
	$(Q)tests/check $(if $(filter check-all,$@),--all) $(if $(LOADED),--loaded)

check-matrix: guest guest-arm
	$(Q)scripts/host-deps build vm debug
	$(Q)tests/matrix/run

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
	$(Q)tests/vm/prepare built:debug

check-debug: debug-kernel guest
	$(Q)OPTEE_TOP_NO_MAKE=1 OPTEE_TOP_KERNEL=$(CURDIR)/build/vm/debug OPTEE_TOP_SLOW=$(SLOW) \
		tests/check --guest-only --out build/check-debug $(DEBUG_TESTS:%=-k %)

# From the files of a kernel's build; OPTEE_KO is its driver, if that is a module.
BTF	?= build/min.btf

min-btf: $(GEN)/probes.bpf.o $(GEN)/bare.bpf.o
	$(Q)scripts/host-deps build debug
	$(Q)BPFTOOL='$(BPFTOOL)' scripts/min-btf '$(BTF)' '$(VMLINUX)' $(if $(OPTEE_KO),'$(OPTEE_KO)')
	$(Q)ls -l '$(BTF)'

xtest-policies: guest
	$(Q)OPTEE_TOP_NO_MAKE=1 tests/xtest-policies

# Of a driver: an optee.ko, or a directory with the files of drivers/tee/optee.
validate: guest
	$(Q)OPTEE_TOP_NO_MAKE=1 tests/validation/run $(if $(KERNEL),--kernel '$(KERNEL)') \
		$(if $(OPTEE_KO),--ko '$(OPTEE_KO)') $(if $(OPTEE_SRC),--src '$(OPTEE_SRC)')
