# SPDX-License-Identifier: GPL-2.0-only
"""Judges drivers that somebody has changed: what tests/validation/run is made of."""
