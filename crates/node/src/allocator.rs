//! The addon's allocator keeps freed pages: a training step allocates the same activations again and again, and fresh pages, which the
//! kernel has to clear, cost more than the work on them.

use std::sync::Once;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay`, which the crate does not name: milliseconds until freed pages go back to the system.
const PURGE_DELAY: i32 = 15;
const NEVER: std::ffi::c_long = -1;

/// Called before the first engine thread starts.
pub fn keep_pages() {
    static ONCE: Once = Once::new();
    // SAFETY: the option exists in this version of mimalloc and may be set at any time.
    ONCE.call_once(|| unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, NEVER) });
}
