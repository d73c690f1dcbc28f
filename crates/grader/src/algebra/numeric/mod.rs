//! Numeric evaluation to 192 or 384 bits, and the identity test built on it.

mod complex;
mod elementary;
mod evaluate;
mod functions;
mod identity;
mod real;
mod words;

pub(crate) use complex::Complex;
pub(crate) use evaluate::{real_call, real_power};
pub(crate) use identity::{agree, value};
pub(crate) use real::Real;
