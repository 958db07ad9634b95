# SPDX-License-Identifier: GPL-2.0-only
#
# Admission policies, as BPF objects. The program carries them, too, but for the template, and
# 'policy build' has the same flags.

POLICIES := $(patsubst policies/%.c,build/policies/%.o,$(sort $(wildcard policies/*.c)))
CARRIED	:= $(filter-out policies/template.c,$(sort $(wildcard policies/*.c)))
POLICY_FLAGS := -g -O2 -target bpf -mcpu=v3 -Wall -Wextra

.PHONY: policies
policies: $(POLICIES)

build/policies/%.o: policies/%.c policies/policies.mk Makefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(POLICY_FLAGS) $(ERRORS) -MMD -MP -Iinclude -Ipolicies $(POLICY_DEFINES) -c $< -o $@

build/gen/policies/%.o: build/policies/%.o
	@mkdir -p $(@D)
	$(Q)llvm-strip -g -R .llvm_addrsig -o $@ $<

build/gen/policies.gz: $(CARRIED) $(CARRIED:policies/%.c=build/gen/policies/%.o) scripts/policy-blob
	$(Q)scripts/policy-blob build/gen/policies $(CARRIED) > $@.tmp
	$(Q)gzip -9nc $@.tmp > $@ && rm $@.tmp

-include $(POLICIES:.o=.d)
