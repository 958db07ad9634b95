/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a 32-bit guest starts with, in place of TF-A: it copies OP-TEE from flash to secure
 * memory, which nothing outside can write, and lets it start Linux. OP-TEE hands on what Linux
 * wants in r1 and r2. The addresses come from optee_vm/arm.py.
 */
	.syntax unified
	.arm
	.globl _start
_start:
	mrc	p15, 0, r0, c0, c0, 5	@ which CPU
	ands	r0, r0, #0xff
wait:	wfine
	bne	wait
	ldr	r0, =optee
	ldr	r1, =OPTEE
	ldr	r2, =optee_end
copy:	ldr	r3, [r0], #4
	str	r3, [r1], #4
	cmp	r0, r2
	blo	copy
	mov	r0, #0			@ no pager
	mvn	r1, #0			@ no machine number
	ldr	r2, =DTB
	ldr	lr, =KERNEL
	ldr	pc, =OPTEE
	.ltorg
	.balign 4096
optee:	.incbin "tee-raw.bin"
	.balign 4
optee_end:
