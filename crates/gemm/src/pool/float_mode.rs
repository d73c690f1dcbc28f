//! Denormals as zero. One denormal operand costs over a hundred cycles on many processors, and gradients that fade out
//! are full of them.

use std::marker::PhantomData;

/// While it lives, this thread flushes denormal results to zero and reads denormal operands as zero.
#[must_use = "the mode ends when the guard is dropped"]
pub struct Guard {
    before: Word,
    // The control word belongs to a thread.
    not_send: PhantomData<*const ()>,
}

/// Denormals are zero on this thread until the guard is dropped. Never hold one in a thread whose other code expects
/// IEEE arithmetic, such as a JavaScript thread.
pub fn enter() -> Guard {
    let before = read();
    if before | FLUSH != before {
        write(before | FLUSH);
    }
    Guard { before, not_send: PhantomData }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.before | FLUSH != self.before {
            write(self.before);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod word {
    pub(super) type Word = u32;
    /// MXCSR: flush to zero (15), denormals are zero (6).
    pub(super) const FLUSH: Word = 1 << 15 | 1 << 6;

    pub(super) fn read() -> Word {
        let mut word: Word = 0;
        // SAFETY: stores MXCSR to a local.
        unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut word, options(nostack)) };
        word
    }

    pub(super) fn write(word: Word) {
        // SAFETY: only the two denormal bits differ from a word read on this thread; exceptions stay masked.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const word, options(nostack)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod word {
    pub(super) type Word = u64;
    /// FPCR.FZ: inputs and outputs.
    pub(super) const FLUSH: Word = 1 << 24;

    pub(super) fn read() -> Word {
        let word: Word;
        // SAFETY: reads the floating-point control register.
        unsafe { std::arch::asm!("mrs {}, fpcr", out(reg) word, options(nomem, nostack)) };
        word
    }

    pub(super) fn write(word: Word) {
        // SAFETY: only the flush bit differs from a word read on this thread.
        unsafe { std::arch::asm!("msr fpcr, {}", in(reg) word, options(nostack)) };
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod word {
    pub(super) type Word = u32;
    pub(super) const FLUSH: Word = 0;
    pub(super) fn read() -> Word {
        0
    }
    pub(super) fn write(_: Word) {}
}

use word::{FLUSH, Word, read, write};
