//! A buffer that the tasks of one call write in disjoint pieces, interleaved ones included (the heads of a fused row).

/// The start of the buffer. Pieces are handed out unchecked against each other.
pub(crate) struct Pieces<T> {
    data: *mut T,
    len: usize,
}

// SAFETY: whoever calls `piece` vouches that pieces of different threads are disjoint.
unsafe impl<T: Send> Sync for Pieces<T> {}

impl<T> Pieces<T> {
    pub fn new(data: &mut [T]) -> Self {
        Self { data: data.as_mut_ptr(), len: data.len() }
    }

    /// Elements `at .. at + len`. Panics beyond the buffer.
    ///
    /// # Safety
    /// The buffer must outlive the piece, and no other live piece may overlap it.
    #[inline(always)]
    pub unsafe fn piece<'a>(&self, at: usize, len: usize) -> &'a mut [T] {
        assert!(at + len <= self.len, "a piece beyond its buffer");
        // SAFETY: within the buffer, exclusive by the contract above.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(at), len) }
    }
}
