//! An operating-system thread that owns a state and runs commands on it, one after another. JavaScript gets a promise for each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, JsDeferred};

use crate::failure::{Failure, Outcome, guarded, outcome};

/// Commands that may wait; one more is refused with `E_BUSY`, so that a runaway caller cannot fill the memory.
const QUEUE: usize = 256;

type Job<S> = Box<dyn FnOnce(&mut Option<S>) + Send>;
type Resolver<T> = Box<dyn FnOnce(Env) -> napi::Result<Outcome<T>> + Send>;

/// Handle of the thread. Dropping it lets the thread finish what is queued, free its state and end.
pub struct Worker<S> {
    sender: Mutex<Option<SyncSender<Job<S>>>>,
    poisoned: Arc<AtomicBool>,
}

impl<S: 'static> Worker<S> {
    /// Starts the thread; `make` runs on it and builds the state there.
    pub fn spawn(name: &str, make: impl FnOnce() -> S + Send + 'static) -> napi::Result<Self> {
        crate::allocator::keep_pages();
        let (sender, receiver) = sync_channel::<Job<S>>(QUEUE);
        std::thread::Builder::new()
            .name(name.to_owned())
            .stack_size(8 << 20)
            .spawn(move || {
                // Denormals are flushed on this thread only: JavaScript's arithmetic must not change.
                let _flush = coldstart_gemm::pool::enter();
                let mut state = Some(make());
                while let Ok(job) = receiver.recv() {
                    job(&mut state);
                }
            })
            .map_err(|error| napi::Error::from_reason(format!("cannot start the thread {name}: {error}")))?;
        Ok(Self { sender: Mutex::new(Some(sender)), poisoned: Arc::new(AtomicBool::new(false)) })
    }

    /// Queues `work` and returns the promise of its outcome. A panic poisons the worker: later commands fail without running.
    pub fn submit<'env, T>(
        &self,
        env: &'env Env,
        work: impl FnOnce(&mut S) -> Result<T, Failure> + Send + 'static,
    ) -> napi::Result<Object<'env>>
    where
        T: ToNapiValue + Send + 'static,
    {
        let poisoned = Arc::clone(&self.poisoned);
        self.queue(env, move |state| {
            if poisoned.load(Ordering::Acquire) {
                return Err(Failure::new(
                    "E_NATIVE_PANIC",
                    "the native engine panicked earlier; close it and load again",
                ));
            }
            let state = state.as_mut().ok_or_else(closed)?;
            let result = guarded(|| work(state));
            if matches!(&result, Err(failure) if failure.failure == "E_NATIVE_PANIC") {
                poisoned.store(true, Ordering::Release);
            }
            result
        })
    }

    /// Queues the release of the state behind all work in flight; later commands fail with `E_CLOSED`. Idempotent.
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        if self.lock().is_none() {
            let (deferred, promise) = env.create_deferred::<Outcome<bool>, Resolver<bool>>()?;
            deferred.resolve(Box::new(|_| Ok(outcome(Ok(true)))));
            return Ok(promise);
        }
        let promise = self.queue(env, |state| {
            drop(state.take());
            Ok(true)
        });
        self.lock().take();
        promise
    }

    fn queue<'env, T>(
        &self,
        env: &'env Env,
        work: impl FnOnce(&mut Option<S>) -> Result<T, Failure> + Send + 'static,
    ) -> napi::Result<Object<'env>>
    where
        T: ToNapiValue + Send + 'static,
    {
        let (deferred, promise) = env.create_deferred::<Outcome<T>, Resolver<T>>()?;
        // The deferred is shared so that it can still be settled when the queue refuses the job that would have settled it.
        let deferred = Arc::new(Mutex::new(Some(deferred)));
        let job_deferred = Arc::clone(&deferred);
        let job: Job<S> = Box::new(move |state| settle(&job_deferred, work(state)));
        let refusal = match &*self.lock() {
            None => Some(closed()),
            Some(sender) => match sender.try_send(job) {
                Ok(()) => None,
                Err(TrySendError::Full(_)) => {
                    Some(Failure::new("E_BUSY", format!("{QUEUE} commands are already waiting for this engine")))
                }
                Err(TrySendError::Disconnected(_)) => Some(closed()),
            },
        };
        if let Some(failure) = refusal {
            settle(&deferred, Err(failure));
        }
        Ok(promise)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<SyncSender<Job<S>>>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Shared<T> = Arc<Mutex<Option<JsDeferred<Outcome<T>, Resolver<T>>>>>;

fn settle<T: ToNapiValue + Send + 'static>(deferred: &Shared<T>, result: Result<T, Failure>) {
    if let Some(deferred) = deferred.lock().unwrap_or_else(PoisonError::into_inner).take() {
        deferred.resolve(Box::new(move |_| Ok(outcome(result))));
    }
}

fn closed() -> Failure {
    Failure::new("E_CLOSED", "this object was closed")
}
