# SPDX-License-Identifier: GPL-2.0-only
#
# The program: every file in the directories of src/, which src/ROOMS lists.

SRCS	:= $(sort $(wildcard src/*.c src/*/*.c))
OBJS	:= $(SRCS:src/%.c=$(OUT)/%.o)
# What the programs and the unit tests of tests/ link: all that does not need the BPF object.
LIB_SRCS := $(filter-out src/main.c $(shell grep -l 'probes\.\(skel\|bpf\)' src/*/*.c),$(SRCS))

# For devices with little storage: -O2 makes a static program 45 KB larger. It is worth it for
# what runs once per recorded call.
ifeq ($(origin CFLAGS),undefined)
CFLAGS	:= -Os -g
$(OUT)/record/%.o $(OUT)/source/recorder.o $(OUT)/collect/call_records.o: EXTRA_CFLAGS := -O2
endif
CFLAGS_ALL := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -Wall -Wextra $(ERRORS) -Wformat=2 -Wshadow -MMD -MP \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -Iinclude -Isrc -I$(GEN) \
	-DVERSION='"$(VERSION)"' $(if $(SYSROOT),--sysroot=$(SYSROOT)) $(CPPFLAGS) $(CFLAGS) \
	$(if $(STATIC),-DNO_LOCALES)
LDFLAGS_ALL := $(if $(SYSROOT),--sysroot=$(SYSROOT)) $(if $(STATIC),-static) $(LDFLAGS)
LDLIBS	:= -lbpf -lelf -lz -lncursesw -ltinfo -ljansson

$(OUT)/%.o: src/%.c src/src.mk Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(EXTRA_CFLAGS) -c $< -o $@

$(OUT)/optee-top: $(OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS)

$(OUT)/liboptee-top.a: $(LIB_SRCS:src/%.c=$(OUT)/%.o)

%/liboptee-top.a:
	@rm -f $@
	$(Q)$(AR) qcs $@ $^

# What a file needs besides its headers, however it is compiled.
SRC_BUILDS := $(OUT) build/man build/unit/src build/fuzz/src

$(OBJS): | $(GEN)/probes.skel.h
$(OUT)/probe/bpf_object.o: $(GEN)/probes.bpf.o.gz $(GEN)/bare.bpf.o.gz
$(SRC_BUILDS:%=%/command/man.o): man/optee-top.8.in
$(SRC_BUILDS:%=%/policy/policy_carried.o): build/gen/policies.gz
$(SRC_BUILDS:%=%/view/terminal.o): $(GEN)/terminfo.h
$(SRC_BUILDS:%=%/command/cmd_policy_build.o): policies/policies.mk
%/command/cmd_policy_build.o: EXTRA_CFLAGS := -DPOLICY_FLAGS='"$(POLICY_FLAGS)"'

# Terminals, for where there is no terminfo database.
$(GEN)/terminfo.h: src/view/terminfo.ti scripts/terminfo-header
	@mkdir -p $(@D)
	$(Q)scripts/terminfo-header $< vt100 linux xterm > $@

-include $(OBJS:.o=.d)
