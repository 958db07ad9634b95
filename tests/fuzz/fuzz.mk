# SPDX-License-Identifier: GPL-2.0-only
#
# What comes from outside, each with a fuzzer: FUZZ_SECONDS are for all of them together. A
# finding is in build/fuzz, and goes to tests/fuzz/corpus once it is fixed.

FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_CC	:= $(CLANG) -std=gnu11 -D_GNU_SOURCE -g -O1 -fno-sanitize-recover=all -MMD -MP -Iinclude -Isrc \
	-I$(GEN) -DVERSION='"fuzz"'
FUZZ_OBJS := $(LIB_SRCS:src/%.c=build/fuzz/src/%.o)

build/fuzz/src/%.o: src/%.c tests/fuzz/fuzz.mk Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(FUZZ_CC) $(EXTRA_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<

build/fuzz/liboptee-top.a: $(FUZZ_OBJS)

$(FUZZ_TARGETS:%=build/fuzz/%): build/fuzz/%: tests/fuzz/fuzz_%.c build/fuzz/liboptee-top.a tests/fuzz/fuzz.mk
	$(call say,CC,$@)
	$(Q)$(FUZZ_CC) -MF $@.d -MT $@ -fsanitize=fuzzer,address,undefined -o $@ $< $(filter %.a,$^) \
		-lbpf -lelf -ljansson -lz

-include $(FUZZ_OBJS:.o=.d) $(FUZZ_TARGETS:%=build/fuzz/%.d)

# What a daemon sends, for tests/fuzz/seed.py --daemon-client: a new schema needs a new seed.
build/unit/seed-daemon-client: tests/fuzz/seed_daemon_client.c tests/fuzz/fuzz.mk | build/unit/liboptee-top.so
	$(Q)$(UNIT_CC) -MF $@.d -MT $@ -o $@ $< $(UNIT_LIBS)

-include build/unit/seed-daemon-client.d

.PHONY: fuzz
fuzz:
	$(Q)scripts/host-deps build unit fuzz
	$(Q)$(MAKE) --no-print-directory $(FUZZ_TARGETS:%=build/fuzz/%)
	$(Q)tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)
