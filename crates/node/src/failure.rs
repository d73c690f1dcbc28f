//! Errors as values: a command resolves with its result or with a `Failure`, and TypeScript throws it with its code.

use napi::bindgen_prelude::Either;
use napi_derive::napi;

/// Why a native command did not succeed. `failure` is a stable error code, `message` names what is at fault.
#[napi(object)]
pub struct Failure {
    pub failure: String,
    pub message: String,
}

/// A result as JavaScript sees it.
pub type Outcome<T> = Either<Failure, T>;

impl Failure {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { failure: code.to_owned(), message: message.into() }
    }
}

macro_rules! failure_from {
    ($($error:ty),+) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.code(), error.to_string())
            }
        }
    )+};
}

failure_from!(
    coldstart_engine::Error,
    coldstart_processor::Error,
    coldstart_objective::Error,
    coldstart_checkpoint::Error
);

/// `Ok` as the value, `Err` as the failure.
pub fn outcome<T>(result: Result<T, Failure>) -> Outcome<T> {
    match result {
        Ok(value) => Either::B(value),
        Err(failure) => Either::A(failure),
    }
}

/// Runs `work`, turning a panic into a failure: nothing that happens in native code may end the Node process.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        Err(Failure::new("E_NATIVE_PANIC", format!("the native engine panicked: {text}")))
    })
}
