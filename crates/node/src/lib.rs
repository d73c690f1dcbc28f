//! The napi-rs binding: one engine thread per model, plain data in and out. No mathematics.

// Exports are registered for Node alone; a build for tests, which lints make, sees nobody use them.
#![cfg_attr(test, allow(dead_code))]

mod allocator;
mod failure;
mod generation;
mod grader;
mod info;
mod model;
mod number;
mod processor;
mod run;
mod session;
mod training;
mod worker;
