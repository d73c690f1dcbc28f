//! An operating-system thread that owns a state and runs commands on it, one after another. JavaScript gets a promise for each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, JsDeferred};

use crate::failure::{Failure, Fault, Outcome, guarded, outcome};

/// Commands that may wait; one more is refused with `E_BUSY`, so that a runaway caller cannot fill the memory.
const QUEUE: usize = 256;

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;
type Resolver<T> = Box<dyn FnOnce(Env) -> napi::Result<Outcome<T>> + Send>;
type Deferred<T> = JsDeferred<Outcome<T>, Resolver<T>>;

/// Handle of the thread. Dropping it lets the thread finish what is queued, free its state and end.
pub struct Worker<S> {
    sender: Mutex<Option<SyncSender<Job<S>>>>,
    poisoned: Arc<AtomicBool>,
    end: Arc<Mutex<End>>,
}

/// Whether the thread has freed its state, or else who waits for that.
enum End {
    Awaited(Vec<Deferred<bool>>),
    Reached,
}

impl<S: 'static> Worker<S> {
    /// Starts the thread; `make` runs on it and builds the state there.
    pub fn spawn(name: &str, make: impl FnOnce() -> S + Send + 'static) -> napi::Result<Self> {
        crate::allocator::keep_pages();
        let (sender, receiver) = sync_channel::<Job<S>>(QUEUE);
        let end = Arc::new(Mutex::new(End::Awaited(Vec::new())));
        let reached = Arc::clone(&end);
        std::thread::Builder::new()
            .name(name.to_owned())
            .stack_size(8 << 20)
            .spawn(move || {
                // Denormals are flushed on this thread only: JavaScript's arithmetic must not change.
                let _flush = coldstart_gemm::pool::enter();
                let mut state = make();
                while let Ok(job) = receiver.recv() {
                    job(&mut state);
                }
                let freed = guarded(|| {
                    drop(state);
                    Ok(true)
                });
                if let End::Awaited(waiting) = std::mem::replace(&mut *lock(&reached), End::Reached) {
                    let failure = freed.err().map(Failure::from);
                    for deferred in waiting {
                        resolve(deferred, failure.clone().map_or(Ok(true), Err));
                    }
                }
            })
            .map_err(|error| napi::Error::from_reason(format!("cannot start the thread {name}: {error}")))?;
        Ok(Self { sender: Mutex::new(Some(sender)), poisoned: Arc::new(AtomicBool::new(false)), end })
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
        let (deferred, promise) = env.create_deferred::<Outcome<T>, Resolver<T>>()?;
        // Shared, so that it can still be settled when the queue refuses the job that would have settled it.
        let deferred = Arc::new(Mutex::new(Some(deferred)));
        let job_deferred = Arc::clone(&deferred);
        let job: Job<S> = Box::new(move |state| {
            if poisoned.load(Ordering::Acquire) {
                let message = "the native engine panicked earlier; close it and load again";
                return settle(&job_deferred, Err(Failure::new("E_NATIVE_PANIC", message)));
            }
            let result = guarded(|| work(state));
            if matches!(result, Err(Fault::Panicked(_))) {
                poisoned.store(true, Ordering::Release);
            }
            settle(&job_deferred, result.map_err(Failure::from));
        });
        let refusal = match &*lock(&self.sender) {
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

    /// Lets the thread end behind all work in flight, however much that is; the promise settles once its state is freed. Later commands
    /// fail with `E_CLOSED`. Idempotent.
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let (deferred, promise) = env.create_deferred::<Outcome<bool>, Resolver<bool>>()?;
        lock(&self.sender).take();
        match &mut *lock(&self.end) {
            End::Awaited(waiting) => waiting.push(deferred),
            End::Reached => resolve(deferred, Ok(true)),
        }
        Ok(promise)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn settle<T: ToNapiValue + Send + 'static>(deferred: &Mutex<Option<Deferred<T>>>, result: Result<T, Failure>) {
    if let Some(deferred) = lock(deferred).take() {
        resolve(deferred, result);
    }
}

fn resolve<T: ToNapiValue + Send + 'static>(deferred: Deferred<T>, result: Result<T, Failure>) {
    deferred.resolve(Box::new(move |_| Ok(outcome(result))));
}

fn closed() -> Failure {
    Failure::new("E_CLOSED", "this object was closed")
}
