//! Aligned scratch memory that a thread keeps between calls.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};

/// Uninitialised bytes aligned to a cache line; large ones on huge pages where the system has them.
pub(crate) struct Buffer {
    data: *mut u8,
    len: usize,
}

// SAFETY: the buffer owns its allocation.
unsafe impl Send for Buffer {}
// SAFETY: shared access only hands out the pointer and the length.
unsafe impl Sync for Buffer {}

const CACHE_LINE: usize = 64;
/// Packed operands are read in panels of tens of kilobytes; with small pages every panel costs a walk of the page table,
/// and the first write of each page a fault.
const HUGE_PAGE: usize = 2 << 20;

impl Buffer {
    pub(crate) const fn empty() -> Self {
        Self { data: std::ptr::null_mut(), len: 0 }
    }

    /// Panics when `len` overflows; aborts as `Vec` does when memory is exhausted.
    pub(crate) fn new(len: usize) -> Self {
        if len == 0 {
            return Self::empty();
        }
        let layout = Self::layout(len);
        // SAFETY: the layout has a size above zero.
        let data = unsafe { alloc(layout) };
        if data.is_null() {
            handle_alloc_error(layout);
        }
        #[cfg(target_os = "linux")]
        if len >= HUGE_PAGE {
            // SAFETY: advice on our own memory; a refusal changes nothing.
            unsafe { libc::madvise(data.cast(), len, libc::MADV_HUGEPAGE) };
        }
        Self { data, len }
    }

    /// At least `len` bytes; the contents are lost when the buffer grows.
    pub(crate) fn reserve(&mut self, len: usize) -> *mut u8 {
        if self.len < len {
            *self = Self::empty();
            *self = Self::new(len.next_multiple_of(4096));
        }
        self.data
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.data
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.data
    }

    fn layout(len: usize) -> Layout {
        let align = if len >= HUGE_PAGE { HUGE_PAGE } else { CACHE_LINE };
        Layout::from_size_align(len, align).unwrap_or_else(|_| panic!("a buffer of {len} bytes is too large"))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: allocated in `new` with this layout.
            unsafe { dealloc(self.data, Self::layout(self.len)) };
        }
    }
}
