//! Working memory that each thread keeps between calls, so that kernels called per layer and per token never allocate.

use std::cell::RefCell;

use crate::access::Element;

/// An element type with buffers per thread: f32 or f64.
pub trait Scratch: Element {
    /// Takes the buffer that the thread used last at this depth of nesting, or an empty one.
    fn take() -> Vec<Self>;
    /// Puts a buffer back.
    fn give(buffer: Vec<Self>);
}

macro_rules! scratch {
    ($t:ident, $buffers:ident) => {
        thread_local! {
            // A stack: nested calls pop in the order of their depth and push in the reverse, so each depth gets its own again.
            static $buffers: RefCell<Vec<Vec<$t>>> = const { RefCell::new(Vec::new()) };
        }
        impl Scratch for $t {
            fn take() -> Vec<Self> {
                $buffers.with_borrow_mut(|buffers| buffers.pop().unwrap_or_default())
            }
            fn give(buffer: Vec<Self>) {
                $buffers.with_borrow_mut(|buffers| buffers.push(buffer));
            }
        }
    };
}
scratch!(f32, F32);
scratch!(f64, F64);

/// Parts start a cache line apart from their neighbours.
const PAD: usize = 16;

/// Calls `f` with buffers of the given lengths that hold whatever an earlier call left there. Calls may nest.
pub(crate) fn with<T: Scratch, R, const N: usize>(lens: [usize; N], f: impl FnOnce([&mut [T]; N]) -> R) -> R {
    let total: usize = lens.iter().map(|len| len.next_multiple_of(PAD)).sum();
    let mut buffer = T::take();
    if buffer.len() < total {
        buffer.resize(total, T::ZERO);
    }
    let mut rest = &mut buffer[..];
    let parts = lens.map(|len| {
        let (part, tail) = std::mem::take(&mut rest).split_at_mut(len.next_multiple_of(PAD));
        rest = tail;
        &mut part[..len]
    });
    let result = f(parts);
    T::give(buffer);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_call_reuses_the_buffers_of_the_first_at_each_depth() {
        let addresses = || {
            with([64], |[outer]: [&mut [f64]; 1]| {
                let inner = with([32], |[inner]: [&mut [f64]; 1]| inner.as_ptr() as usize);
                (outer.as_ptr() as usize, inner)
            })
        };
        assert_eq!(addresses(), addresses());
    }

    #[test]
    fn nested_calls_get_disjoint_buffers() {
        with([3, 5], |[a, b]: [&mut [f32]; 2]| {
            a.fill(1.0);
            b.fill(2.0);
            with([100], |[c]: [&mut [f32]; 1]| c.fill(3.0));
            assert_eq!((a, b), (&mut [1.0; 3][..], &mut [2.0; 5][..]));
        });
    }
}
