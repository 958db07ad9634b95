# SPDX-License-Identifier: GPL-2.0-only
#
# BPF objects and their skeletons. One object is for every kernel; the program carries it.

BPF_CC	:= $(CLANG) -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_arm64 -Wall -Wextra $(ERRORS) \
	-Wno-unused-parameter -Wno-unused-function -Ivmlinux -Iinclude -Ibpf

# bpftool applies the object's own relocations, which makes it a fifth smaller. The labels of
# jumps have no use.
define bpf_object
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(BPF_CC) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@.tmp
	$(Q)llvm-strip -g -w -N 'LBB*' $@.tmp
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm $@.tmp
endef

$(GEN)/%.bpf.o: bpf/%.bpf.c bpf/bpf.mk Makefile
	$(bpf_object)

# The program has the object gzipped (src/probe/bpf_object.c), and so not in its skeleton.
$(GEN)/probes.bpf.o.gz: $(GEN)/probes.bpf.o
	$(Q)gzip -9nc $< > $@

$(GEN)/probes.skel.h: $(GEN)/probes.bpf.o bpf/bpf.mk
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name probes_bpf | sed -e '/^static inline const void \*probes_bpf__elf_bytes(size_t \*sz);$$/d' \
		-e '/^static inline const void \*probes_bpf__elf_bytes(size_t \*sz)$$/,/^}$$/d' > $@

$(GEN)/%.skel.h: $(GEN)/%.bpf.o bpf/bpf.mk
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

-include $(wildcard $(GEN)/*.bpf.d)
