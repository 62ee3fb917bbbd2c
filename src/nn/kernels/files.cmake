# Compiled once per instruction set, with XA_ISA_SUFFIX=_base, _avx2 or _avx512.
set(XA_KERNEL_FILES gemm_rows.c gemm_panels.c gemm_bf16.c winograd.c epilogue.c depthwise.c pool.c norm.c attend.c activate.c table.c)
# Functions that pass vectors are all inlined: the note on their calling convention says nothing.
add_compile_options(-Wno-psabi)
# The set avx512bf16 compiles these alone: its other kernels are those of avx512.
set(XA_BF16_KERNEL_FILES gemm_bf16.c table.c)
