# SPDX-License-Identifier: GPL-2.0-only
"""Judges drivers that somebody has changed: what tests/validate is made of."""
