//! Errors as values: a command resolves with its result or with a `Failure`, and TypeScript throws it with its code.

use napi::bindgen_prelude::Either;
use napi_derive::napi;

/// Why a native command did not succeed. `failure` is a stable error code, `message` names what is at fault.
#[napi(object)]
#[derive(Clone)]
pub struct Failure {
    pub failure: String,
    pub message: String,
    /// Index of the request that the message is about, where there are several.
    pub request: Option<u32>,
}

/// A result as JavaScript sees it.
pub type Outcome<T> = Either<Failure, T>;

impl Failure {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { failure: code.to_owned(), message: message.into(), request: None }
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

failure_from!(coldstart_processor::Error, coldstart_objective::Error, coldstart_checkpoint::Error);

impl From<coldstart_engine::Error> for Failure {
    fn from(error: coldstart_engine::Error) -> Self {
        match error {
            coldstart_engine::Error::Request { index, error } => {
                Self { request: Some(index as u32), ..Self::from(*error) }
            }
            error => Self::new(error.code(), error.to_string()),
        }
    }
}

/// Why guarded work gave no value.
pub enum Fault {
    Failed(Failure),
    /// What it left behind is not to be trusted.
    Panicked(String),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Failed(failure) => failure,
            Fault::Panicked(text) => Self::new("E_NATIVE_PANIC", format!("the native engine panicked: {text}")),
        }
    }
}

/// `Ok` as the value, `Err` as the failure.
pub fn outcome<T>(result: Result<T, impl Into<Failure>>) -> Outcome<T> {
    match result {
        Ok(value) => Either::B(value),
        Err(fault) => Either::A(fault.into()),
    }
}

/// Runs `work` and catches its panic: nothing that happens in native code may end the Node process.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Fault> {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        Fault::Panicked(text)
    })?;
    Ok(result?)
}
