# SPDX-License-Identifier: GPL-2.0-only
# The patches for the kernel: each applies, and the driver builds after it (KERNEL=7.3: one series).

.PHONY: upstream-check evidence
upstream-check:
	$(Q)scripts/host-deps build vm
	$(Q)upstream/check $(KERNEL)

# What has no result yet is run; ONLY names some of it (upstream/evidence --list).
evidence: guest
	$(Q)scripts/host-deps build vm debug
	$(Q)upstream/evidence $(ONLY)
