//! The grader for JavaScript: single texts answered at once, batches on threads of their own.

use coldstart_grader::{self as grader, Limits, Path, Profile, Verdict};
use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, JsDeferred};
use napi_derive::napi;

use crate::failure::{Failure, Outcome, guarded, outcome};

/// Pairs that one thread takes; fewer are not worth a second thread.
const PAIRS_PER_THREAD: usize = 128;

/// Room for the deepest expression that the limits allow, several times over.
const STACK: usize = 8 << 20;

/// A decision and how it came about.
#[napi(object)]
pub struct NativeVerdict {
    pub correct: bool,
    /// `string`, `normalised`, `exact`, `numeric`, `unequal`, `refused` or, without an answer, `none`.
    pub path: String,
    /// With `refused`: `size`, `big`, `symbols` or `steps`; `panic` for a fault of the grader itself.
    pub reason: Option<String>,
    pub steps: u32,
}

impl NativeVerdict {
    fn wrong(path: &str, reason: Option<&str>) -> Self {
        Self { correct: false, path: path.to_owned(), reason: reason.map(str::to_owned), steps: 0 }
    }
}

impl From<Verdict> for NativeVerdict {
    fn from(Verdict { correct, path, steps }: Verdict) -> Self {
        let (path, reason) = match path {
            Path::String => ("string", None),
            Path::Normalised => ("normalised", None),
            Path::Exact => ("exact", None),
            Path::Numeric => ("numeric", None),
            Path::Unequal => ("unequal", None),
            Path::Refused(refusal) => ("refused", Some(refusal.to_string())),
        };
        Self { correct, path: path.to_owned(), reason, steps }
    }
}

/// Whether `given` equals `gold` under `mathruler` or `lenient`.
#[napi(ts_return_type = "NativeVerdict | Failure")]
pub fn grade_answer(given: Option<String>, gold: String, profile: String) -> Outcome<NativeVerdict> {
    outcome(guarded(|| Ok(verdict(given.as_deref(), &gold, profile_of(&profile)?))))
}

/// The verdict of every pair, in order, from threads outside JavaScript's and libuv's.
#[napi(ts_return_type = "Promise<NativeVerdict[] | Failure>")]
pub fn grade_answers<'env>(
    env: &'env Env,
    givens: Vec<Option<String>>,
    golds: Vec<String>,
    profile: String,
) -> napi::Result<Object<'env>> {
    detached(env, move || {
        let profile = profile_of(&profile)?;
        if givens.len() != golds.len() {
            let message = format!("golds: expected {}, one for each answer, got {}", givens.len(), golds.len());
            return Err(Failure::new("E_USAGE", message));
        }
        Ok(verdicts(&givens, &golds, profile))
    })
}

/// Content of the last balanced box.
#[napi(ts_return_type = "string | null | Failure")]
pub fn extract_boxed(text: String) -> Outcome<Option<String>> {
    outcome(guarded(|| Ok(grader::extract_boxed(&text).map(str::to_owned))))
}

/// Content of the last box, or else the formula or number that is most likely meant.
#[napi(ts_return_type = "string | null | Failure")]
pub fn extract_answer(response: String) -> Outcome<Option<String>> {
    outcome(guarded(|| Ok(grader::extract_answer(&response, &Limits::default()).map(str::to_owned))))
}

/// Content of the first answer tag, or the trimmed text.
#[napi(ts_return_type = "string | Failure")]
pub fn answer_tag(text: String) -> Outcome<String> {
    outcome(guarded(|| Ok(grader::answer_tag(&text).to_owned())))
}

/// Whether thoughts and a box follow each other.
#[napi(ts_return_type = "boolean | Failure")]
pub fn format_think(text: String) -> Outcome<bool> {
    outcome(guarded(|| Ok(grader::format_think(&text))))
}

/// Whether thoughts and an answer tag make up the text.
#[napi(ts_return_type = "boolean | Failure")]
pub fn format_answer(text: String) -> Outcome<bool> {
    outcome(guarded(|| Ok(grader::format_answer(&text))))
}

/// The text without whitespace around `<`, `>` and `/`.
#[napi(ts_return_type = "string | Failure")]
pub fn easyr1_squeeze(text: String) -> Outcome<String> {
    outcome(guarded(|| Ok(grader::easyr1_squeeze(&text))))
}

/// The string form that MATH-Vision compares.
#[napi(ts_return_type = "string | Failure")]
pub fn mathvision_string_form(text: String) -> Outcome<String> {
    outcome(guarded(|| Ok(grader::mathvision_string_form(&text))))
}

/// The value of a constant expression in LaTeX, or null if it is none.
#[napi(ts_return_type = "number | null | Failure")]
pub fn constant_value(latex: String) -> Outcome<Option<f64>> {
    outcome(guarded(|| Ok(grader::constant_value(&latex, &Limits::default()))))
}

/// Whether the lenient profile reads the text as a value.
#[napi(ts_return_type = "boolean | Failure")]
pub fn is_value(latex: String) -> Outcome<bool> {
    outcome(guarded(|| Ok(grader::is_value(&latex, &Limits::default()))))
}

fn profile_of(name: &str) -> Result<Profile, Failure> {
    match name {
        "mathruler" => Ok(Profile::Mathruler),
        "lenient" => Ok(Profile::Lenient),
        other => Err(Failure::new("E_CONFIG", format!("profile: expected mathruler or lenient, got {other:?}"))),
    }
}

/// One pair. A panic is a fault of the grader and says nothing about the answer; the pairs beside it keep their verdicts.
fn verdict(given: Option<&str>, gold: &str, profile: Profile) -> NativeVerdict {
    let Some(given) = given else { return NativeVerdict::wrong("none", None) };
    guarded(|| Ok(grader::grade(given, gold, profile, &Limits::default())))
        .map_or_else(|_| NativeVerdict::wrong("refused", Some("panic")), NativeVerdict::from)
}

/// Neighbouring pairs for one thread.
struct Part<'a> {
    givens: &'a [Option<String>],
    golds: &'a [String],
    verdicts: Vec<NativeVerdict>,
}

impl Part<'_> {
    fn grade(&mut self, profile: Profile) {
        let pairs = self.givens.iter().zip(self.golds);
        self.verdicts = pairs.map(|(given, gold)| verdict(given.as_deref(), gold, profile)).collect();
    }
}

/// Verdicts in the order of the pairs, whatever the number of threads.
fn verdicts(givens: &[Option<String>], golds: &[String], profile: Profile) -> Vec<NativeVerdict> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let size = givens.len().div_ceil(cores).max(PAIRS_PER_THREAD);
    let mut parts: Vec<Part> = givens
        .chunks(size)
        .zip(golds.chunks(size))
        .map(|(givens, golds)| Part { givens, golds, verdicts: Vec::new() })
        .collect();
    std::thread::scope(|scope| {
        let mut parts = parts.iter_mut();
        let here = parts.next();
        for part in parts {
            // A thread that the system refuses leaves its part ungraded, for below.
            let _ = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || part.grade(profile));
        }
        if let Some(part) = here {
            part.grade(profile);
        }
    });
    for part in &mut parts {
        if part.verdicts.is_empty() {
            part.grade(profile);
        }
    }
    parts.into_iter().flat_map(|part| part.verdicts).collect()
}

type Resolver<T> = Box<dyn FnOnce(Env) -> napi::Result<Outcome<T>> + Send>;

/// Runs `work` on a thread of its own. Not the engine's `Worker`: that one flushes denormals, and a verdict must not depend
/// on the thread that found it.
fn detached<'env, T: ToNapiValue + Send + 'static>(
    env: &'env Env,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> napi::Result<Object<'env>> {
    let (deferred, promise): (JsDeferred<Outcome<T>, Resolver<T>>, _) = env.create_deferred()?;
    std::thread::Builder::new()
        .name("coldstart-grader".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            let result = guarded(work);
            deferred.resolve(Box::new(move |_| Ok(outcome(result))));
        })
        .map_err(|error| napi::Error::from_reason(format!("cannot start a thread for the grader: {error}")))?;
    Ok(promise)
}
