# SPDX-License-Identifier: GPL-2.0-only
#
# Instructions a call: a tracer that does the least that one can do, and a meter.

BENCH	:= $(patsubst tests/bench/%.c,build/arm64/bench-%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))

$(BENCH): build/arm64/bench-%: tests/bench/%.c tests/bench/bench.mk tests/programs/programs.mk
	$(call guest_program,-static -I$(GEN),-lbpf -lelf -lz)

build/arm64/bench-floor: $(GEN)/floor.skel.h

$(GEN)/%.bpf.o: tests/bench/%.bpf.c bpf/bpf.mk Makefile
	$(bpf_object)

.PHONY: bench
bench: guest
	$(Q)$(MAKE) --no-print-directory $(BENCH)
	$(Q)tests/bench/run
