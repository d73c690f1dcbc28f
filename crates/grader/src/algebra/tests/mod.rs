//! Specifications of the engine that need its parts together.

mod equality;
mod functions;
mod hostile;
mod monomials;
mod parse;
mod properties;
mod value;
