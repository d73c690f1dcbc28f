//! Copying parts of plain operands into panels.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(target_arch = "x86_64")]
pub(crate) mod bf16;
pub(crate) mod plain;
pub(crate) mod rounded;
