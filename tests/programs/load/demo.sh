#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A lively load for a pool of two TEE threads, to look at with optee-top: until
# Ctrl-C, or `demo.sh --seconds 60`. Options are optee-load's.
set -eu

# A video player decrypts a frame group now and then; an app's key store is asked
# often and answers at once; a payment comes as a burst from four processes; a
# sensor holds a thread for seconds while it waits for normal world; a health
# check opens a session, asks and closes it.
exec optee-load --records 0 --output /dev/null "$@" \
	'name=drm-player ta=concurrent repeat=0 burn=40000..90000 gap=100..300' \
	'name=keystore ta=invoke_tests sessions=2 repeat=0 nop gap=5..60' \
	'name=pay count=4 repeat=0 gap=3000..5000 wait=20..60 wait=20..60 wait=20..60' \
	'name=sensor-hub repeat=0 gap=6000..12000 wait=1500..3000' \
	'name=health sessions=0 ta=invoke_tests repeat=0 open nop close gap=900..1100'
