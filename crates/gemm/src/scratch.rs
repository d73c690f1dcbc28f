//! Scratch memory that each thread keeps between products, so that small products allocate nothing.

use std::cell::Cell;

use crate::buffer::Buffer;

/// Larger buffers are freed after use: a rare huge product should not hold memory for the life of the process.
const KEEP_BYTES: usize = 64 << 20;

/// What a buffer is for; one product uses each at most once a thread at a time.
#[derive(Clone, Copy)]
pub(crate) enum Slot {
    /// A packed whole, shared by the tasks of a product.
    Left,
    /// Column panels of a plain B, shared by the tasks of a product.
    Right,
    /// The block of A that one task works on.
    Block,
    /// Sums of the tiles of a block that wait for the next cut of the depth.
    Sums,
}

thread_local! {
    static BUFFERS: [Cell<Buffer>; 4] = const { [const { Cell::new(Buffer::empty()) }; 4] };
}

/// Calls `f` with at least `len` uninitialised bytes, aligned to a cache line.
pub(crate) fn with<R>(slot: Slot, len: usize, f: impl FnOnce(*mut u8) -> R) -> R {
    // Taken out while in use: a nested product of the same thread gets its own.
    let mut buffer = BUFFERS.with(|buffers| buffers[slot as usize].replace(Buffer::empty()));
    let result = f(buffer.reserve(len));
    if buffer.len() <= KEEP_BYTES {
        BUFFERS.with(|buffers| buffers[slot as usize].set(buffer));
    }
    result
}
