# SPDX-License-Identifier: GPL-2.0-only
#
# BPF objects and their skeletons. The program carries two of the same programs: one for kernels
# with BTF, and a bare one, without all that needs it (SEC_TYPED in compat.bpf.h). One for 32-bit
# Arm carries others, as addresses are smaller there (machine.bpf.h).

BPF_CC	:= $(CLANG) -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(if $(filter arm,$(ARCH)),arm,arm64) \
	-Wall -Wextra $(ERRORS) -Wno-unused-parameter -Wno-unused-function -Ivmlinux -Iinclude -Ibpf

# bpftool applies the object's own relocations, which makes it a fifth smaller. The labels of
# jumps have no use.
define bpf_object
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(BPF_CC) $(BPF_DEFINES) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@.tmp
	$(Q)llvm-strip -g -w -N 'LBB*' $@.tmp
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm $@.tmp
endef

$(GEN)/%.bpf.o: bpf/%.bpf.c bpf/bpf.mk Makefile
	$(bpf_object)

$(GEN)/bare.bpf.o: BPF_DEFINES := -DBARE
$(GEN)/bare.bpf.o: bpf/probes.bpf.c bpf/bpf.mk Makefile
	$(bpf_object)

# The program has the objects gzipped (src/probe/bpf_object.c), and so not in their skeleton.
$(GEN)/%.bpf.o.gz: $(GEN)/%.bpf.o
	$(Q)gzip -9nc $< > $@

# It is the bare one's, which has no program that the other lacks; their data has to be the same.
data_of = $(BPFTOOL) gen skeleton $(1) name probes_bpf | sed -n '/__bss {$$/,/^[^ ]*}/p;/__rodata {$$/,/^[^ ]*}/p'

$(GEN)/probes.skel.h: $(GEN)/bare.bpf.o $(GEN)/probes.bpf.o bpf/bpf.mk
	$(call say,SKEL,$@)
	$(Q)[ "$$($(call data_of,$<))" = "$$($(call data_of,$(GEN)/probes.bpf.o))" ] || \
		{ echo "the bare object has other data: a variable may be used by one of them only" >&2; exit 1; }
	$(Q)$(BPFTOOL) gen skeleton $< name probes_bpf | sed -e '/^static inline const void \*probes_bpf__elf_bytes(size_t \*sz);$$/d' \
		-e '/^static inline const void \*probes_bpf__elf_bytes(size_t \*sz)$$/,/^}$$/d' > $@

$(GEN)/%.skel.h: $(GEN)/%.bpf.o bpf/bpf.mk
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

-include $(wildcard $(GEN)/*.bpf.d)
