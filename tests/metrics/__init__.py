# SPDX-License-Identifier: GPL-2.0-only
"""Expositions, alerts and the dashboard: what their tests share."""
