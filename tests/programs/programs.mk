# SPDX-License-Identifier: GPL-2.0-only
#
# The programs of the tests: for the guest, linked against the packages of one suite, static
# where they can be; for this machine, those that make things up. A program has the name of its
# file, and a new file is found.

SYSROOT_ARM64 := build/vm/sysroot
SYSROOT_ARM := build/vm/sysroot-arm
TEEC	:= build/vm/sysroot-teec
TRIPLET	:= aarch64-linux-gnu
GUEST_SYSROOT = $(SYSROOT_ARM64)
build/arm/%: TEEC := build/vm/sysroot-teec-arm
build/arm/%: TRIPLET := arm-linux-gnueabihf
build/arm/%: GUEST_SYSROOT = $(SYSROOT_ARM)
GUEST_CC = $(TRIPLET)-gcc --sysroot=$(GUEST_SYSROOT) -std=gnu11 -D_GNU_SOURCE -O2 \
	-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -Wall -Wextra $(ERRORS) -Wformat=2 -Wshadow
LIBTEEC	= -isystem $(TEEC)/usr/include -L$(TEEC)/usr/lib/$(TRIPLET) \
	-Wl,--as-needed -lteec -Wl,--unresolved-symbols=ignore-in-shared-libs

define guest_program # FLAGS, LIBRARIES
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(GUEST_CC) $(1) -o $@ $(filter %.c,$^) $(2)
endef

programs_in = $(sort $(filter-out %.bpf.c,$(wildcard tests/programs/$(1)/*.c)))

# Clients of OP-TEE.
build/arm64/optee-load build/arm/optee-load: $(call programs_in,load) $(wildcard tests/programs/load/*.h) \
		tests/programs/programs.mk
	$(call guest_program,,-pthread $(LIBTEEC))

build/arm64/optee-load-demo: tests/programs/load/demo.sh
	$(Q)install -D $< $@

# Programs that trouble the daemon, and the driver.
TROUBLE	:= $(patsubst tests/programs/daemon/%.c,build/arm64/%,$(call programs_in,daemon)) \
	$(patsubst tests/programs/hostile/%.c,build/arm64/%,$(call programs_in,hostile))

build/arm64/%: tests/programs/daemon/%.c tests/programs/programs.mk
	$(call guest_program,-static -pthread)

build/arm64/%: tests/programs/hostile/%.c tests/programs/programs.mk
	$(call guest_program,-static -pthread)

# What is loaded into other programs: their guests get it where they ask for it.
LOADED_LIBS := $(patsubst tests/programs/lib/%.c,build/arm64/%.so,$(call programs_in,lib))

build/arm64/%.so: tests/programs/lib/%.c tests/programs/programs.mk
	$(call guest_program,-fPIC -shared,-pthread $(LIBTEEC))

# What looks at policies, or changes them. Whether the homes of a policy agree:
# tests/guest/lib/homes.py.
POLICY_PROGRAMS := $(patsubst tests/programs/policy/%.c,build/arm64/policy-%, \
	$(filter-out %/native.c,$(call programs_in,policy)))
POLICY_HEADERS := $(wildcard tests/programs/policy/*.h policies/*.h) include/optee_admission.h

$(POLICY_PROGRAMS): build/arm64/policy-%: tests/programs/policy/%.c $(POLICY_HEADERS) \
		tests/programs/programs.mk
	$(call guest_program,-static -Iinclude -Isrc -I$(GEN),-lbpf -lelf -lz)

build/arm64/policy-swaps: src/policy/policy_link.c src/policy/policy_link.h

$(patsubst tests/programs/policy/%.bpf.c,build/arm64/policy-%,$(wildcard tests/programs/policy/*.bpf.c)): \
		build/arm64/policy-%: $(GEN)/%.skel.h

$(GEN)/%.bpf.o: tests/programs/policy/%.bpf.c bpf/bpf.mk Makefile
	$(bpf_object)

# A policy of this machine, to compare with what the enforced one did.
HOMES	:= $(POLICIES:build/policies/%.o=build/homes/%)

build/homes/%: policies/%.c tests/programs/policy/native.c $(POLICY_HEADERS) tests/programs/programs.mk
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(HOSTCC) -std=gnu11 -g -O2 -Wall -Wextra $(ERRORS) -Iinclude -Ipolicies \
		-fsanitize=undefined -fno-sanitize-recover=all -o $@ tests/programs/policy/native.c $<

GUEST_PROGRAMS := build/arm64/optee-load build/arm64/optee-load-demo $(TROUBLE) $(LOADED_LIBS) \
	$(POLICY_PROGRAMS)

# Programs that make things up, for tests of the formats: a daemon's log, the logs of many
# devices, exports, and metrics, printed and served.
MADE	:= $(patsubst tests/programs/made/%.c,$(OUT)/%,$(call programs_in,made))

$(MADE): $(OUT)/%: tests/programs/made/%.c $(OUT)/liboptee-top.a tests/programs/programs.mk
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) -MF $@.d -MT $@ $(LDFLAGS_ALL) -o $@ $< $(filter %.a,$^) -ljansson -lz

-include $(MADE:=.d)
