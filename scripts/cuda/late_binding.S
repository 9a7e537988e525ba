/* Functions of the CUDA libraries that are looked up when they are first called, so that the program starts on a machine
 * without them. `scripts/cuda-build` writes one line `stub NAME` for each function below this text. x86-64 only.
 *
 * A stub jumps to the function that its slot holds. While the slot is empty, it asks late_binding.c for the function, with
 * all registers that may carry arguments kept (System V ABI: six integers, eight vectors). */
    .text
    .type late_binding_lookup, @function
late_binding_lookup:                    /* %r11: name, %r10: slot; the stack is off by 8, as in every function */
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %r8
    pushq %r9
    subq $136, %rsp                     /* 8 vectors, and 8 bytes to align the stack */
    movdqu %xmm0, (%rsp)
    movdqu %xmm1, 16(%rsp)
    movdqu %xmm2, 32(%rsp)
    movdqu %xmm3, 48(%rsp)
    movdqu %xmm4, 64(%rsp)
    movdqu %xmm5, 80(%rsp)
    movdqu %xmm6, 96(%rsp)
    movdqu %xmm7, 112(%rsp)
    movq %r11, %rdi
    movq %r10, %rsi
    call late_binding_find
    movq %rax, %r11
    movdqu (%rsp), %xmm0
    movdqu 16(%rsp), %xmm1
    movdqu 32(%rsp), %xmm2
    movdqu 48(%rsp), %xmm3
    movdqu 64(%rsp), %xmm4
    movdqu 80(%rsp), %xmm5
    movdqu 96(%rsp), %xmm6
    movdqu 112(%rsp), %xmm7
    addq $136, %rsp
    popq %r9
    popq %r8
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    jmp *%r11

    .macro stub name
    .section .data.late_binding.\name, "aw", @progbits
    .balign 8
.Lslot_\name:
    .quad 0
    .section .rodata.late_binding.\name, "a", @progbits
.Lname_\name:
    .asciz "\name"
    .section .text.late_binding.\name, "ax", @progbits
    .globl \name
    .type \name, @function
\name:
    movq .Lslot_\name(%rip), %r11
    testq %r11, %r11
    jz 1f
    jmp *%r11
1:  leaq .Lname_\name(%rip), %r11
    leaq .Lslot_\name(%rip), %r10
    jmp late_binding_lookup
    .size \name, . - \name
    .endm

    .section .note.GNU-stack, "", @progbits
