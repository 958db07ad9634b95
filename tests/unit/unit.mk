# SPDX-License-Identifier: GPL-2.0-only
#
# Unit tests: the plain C of src/, bpf/ and policies/, under the sanitizers, without root. src/
# is one library, so that a change costs a compilation and a link, and not a link of every test.

UNIT_TESTS := $(patsubst tests/unit/%.c,build/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_OBJS := $(LIB_SRCS:src/%.c=build/unit/src/%.o)
UNIT_CC := $(HOSTCC) -std=gnu11 -D_GNU_SOURCE -g -O1 -fPIC -Wall -Wextra $(ERRORS) -MMD -MP -Iinclude -Isrc \
	-I$(GEN) -DVERSION='"unit"' -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_LIBS := -Lbuild/unit -loptee-top -Wl,-rpath,'$$ORIGIN' \
	-Wl,--unresolved-symbols=ignore-in-shared-libs -lcmocka -lbpf -ljansson -lz

define unit_object # FLAGS
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(UNIT_CC) $(1) -c -o $@ $<
endef

build/unit/src/%.o: src/%.c tests/unit/unit.mk Makefile
	$(call unit_object,$(EXTRA_CFLAGS))

build/unit/liboptee-top.so: $(UNIT_OBJS)
	$(call say,LD,$@)
	$(Q)$(UNIT_CC) -shared -o $@ $^ $(LDLIBS)

$(UNIT_TESTS:=.o) build/unit/unit.o: build/unit/%.o: tests/unit/%.c tests/unit/unit.mk Makefile
	$(call unit_object,-Ibpf -Ivmlinux)

$(UNIT_TESTS): build/unit/%: build/unit/%.o build/unit/unit.o | build/unit/liboptee-top.so
	$(Q)$(UNIT_CC) -o $@ $^ $(UNIT_LIBS)

# Policies as plain functions: one program has them all.
UNIT_POLICIES := $(patsubst policies/%.c,build/unit/policies/%.o,$(sort $(wildcard policies/*.c)))

build/unit/policies/%.o: policies/%.c tests/unit/unit.mk Makefile
	$(call unit_object,-Dpolicy=policy_$(subst -,_,$*))

build/unit/test_policies: $(UNIT_POLICIES)

# Fuzzers, too: each is given its corpus.
UNIT_FUZZERS := $(patsubst tests/fuzz/%.c,build/unit/fuzz/%.o,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

build/unit/fuzz/%.o: tests/fuzz/%.c tests/unit/unit.mk Makefile
	$(call unit_object,-DFUZZ_ALL)

build/unit/test_fuzz_corpus: $(UNIT_FUZZERS)

-include $(UNIT_OBJS:.o=.d) $(UNIT_POLICIES:.o=.d) $(UNIT_FUZZERS:.o=.d) $(UNIT_TESTS:=.d) build/unit/unit.d

.PHONY: unit
unit: $(UNIT_TESTS) build/unit/liboptee-top.so
	$(Q)scripts/format --check
	$(Q)scripts/check-rooms $(HOSTCC)
	$(Q)$(MAKE) $(JOBS) -k -O --no-print-directory $(UNIT_TESTS:build/unit/%=run-%)

# Newer compilers look for a use after return by default; older ones have to be told.
RUN_UNIT := $(UNIT_TESTS:build/unit/%=run-%)
.PHONY: $(RUN_UNIT)
$(RUN_UNIT): run-%:
	$(Q)ASAN_OPTIONS=detect_stack_use_after_return=1 build/unit/$*
