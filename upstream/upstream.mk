# SPDX-License-Identifier: GPL-2.0-only
# The patches for the kernel: each applies, and the driver builds after it (KERNEL=7.3: one series).

.PHONY: upstream-check
upstream-check:
	$(Q)scripts/host-deps build vm
	$(Q)upstream/check $(KERNEL)
