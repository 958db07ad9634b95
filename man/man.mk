# SPDX-License-Identifier: GPL-2.0-only
#
# The manual has the same tables as the program. man/gen-man.c runs on the machine that builds; it
# is linked with the directories of src/ that have a table, without the files that need
# libraries of the device.

MAN_SRCS := $(filter-out $(shell grep -l '<bpf/\|<gelf\|probes\.\(skel\|bpf\)' src/*/*.c), \
	$(wildcard $(patsubst %,src/%/*.c,base check command metrics model options policy render)))
MAN_OBJS := $(MAN_SRCS:src/%.c=build/man/%.o)

build/man/%.o: src/%.c man/man.mk Makefile
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -D_GNU_SOURCE -MMD -MP -Iinclude -Isrc $(EXTRA_CFLAGS) -c $< -o $@

build/man/liboptee-top.a: AR := ar
build/man/liboptee-top.a: $(MAN_OBJS)

build/optee-top.8: man/gen-man.c build/man/liboptee-top.a man/man.mk
	$(call say,MAN,$@)
	$(Q)$(HOSTCC) -std=gnu11 -Isrc -o build/man/gen-man $(filter %.c %.a,$^) -ljansson
	$(Q)build/man/gen-man > $@

-include $(MAN_OBJS:.o=.d)
