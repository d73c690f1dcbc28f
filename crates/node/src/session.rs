//! What an engine thread owns: a model, its run, a reference copy, generations in progress.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::training::Run;
use coldstart_checkpoint::Store;
use coldstart_engine::generate::Generator;
use coldstart_engine::{Group, Model, Params};

use crate::failure::Failure;
use crate::model::{ModelInfo, ParameterReport, PartCount};

/// State of one engine thread.
pub struct Session {
    pub model: Option<Model>,
    pub run: Option<Run>,
    /// The model as it was when the run began, for the KL term.
    pub reference: Option<Model>,
    pub generations: HashMap<u32, Generator>,
    pub next_generation: u32,
    /// Raised from JavaScript, polled between tokens and micro-batches.
    pub abort: Arc<AtomicBool>,
    store: Option<Store>,
}

impl Session {
    pub fn new(abort: Arc<AtomicBool>) -> Self {
        Self {
            model: None,
            run: None,
            reference: None,
            generations: HashMap::new(),
            next_generation: 0,
            abort,
            store: None,
        }
    }

    /// Takes over a loaded model.
    pub fn install(&mut self, model: Model) -> ModelInfo {
        let parameters = report(model.params());
        self.model = Some(model);
        ModelInfo { parameters }
    }

    pub fn model(&self) -> Result<&Model, Failure> {
        self.model.as_ref().ok_or_else(no_model)
    }

    pub fn model_mut(&mut self) -> Result<&mut Model, Failure> {
        self.model.as_mut().ok_or_else(no_model)
    }

    /// Model and run together, as a step needs them.
    pub fn training(&mut self) -> Result<(&mut Model, &mut Run), Failure> {
        let model = self.model.as_mut().ok_or_else(no_model)?;
        Ok((model, self.run.as_mut().ok_or_else(no_run)?))
    }

    /// Opens the store under `root` unless it is the open one: a store remembers which checkpoints it has verified.
    pub fn open_store(&mut self, root: &Path) -> Result<(), Failure> {
        if self.store.as_ref().is_none_or(|store| store.root() != root) {
            self.store = Some(Store::open(root)?);
        }
        Ok(())
    }

    /// Everything that goes into a checkpoint, and where it goes.
    pub fn saving(&self) -> Result<(&Model, &Run, Option<&Model>, &Store), Failure> {
        let store = self.store.as_ref().ok_or_else(no_run)?;
        Ok((self.model()?, self.run.as_ref().ok_or_else(no_run)?, self.reference.as_ref(), store))
    }
}

/// Parameters by part.
pub fn report(params: &Params) -> ParameterReport {
    let counts = params.counts();
    let part = |group: Group| {
        let count = &counts[group as usize];
        PartCount { total: count.total as f64, trainable: count.trainable as f64 }
    };
    ParameterReport {
        total: counts.iter().map(|count| count.total as f64).sum(),
        trainable: counts.iter().map(|count| count.trainable as f64).sum(),
        vision: part(Group::Vision),
        merger: part(Group::Merger),
        language: part(Group::Language),
    }
}

/// The folder of step `step` and the step, from the path of a checkpoint.
pub fn split_checkpoint(path: &Path) -> Result<(PathBuf, u64), Failure> {
    let parts = path.parent().zip(path.file_name().and_then(|name| name.to_str()));
    parts.and_then(|(root, name)| Some((root.to_owned(), name.strip_prefix("step-")?.parse().ok()?))).ok_or_else(|| {
        Failure::new("E_PATH", format!("{}: expected the folder of a checkpoint, step-NNNNNN", path.display()))
    })
}

fn no_run() -> Failure {
    Failure::new("E_USAGE", "training was not started on this model")
}

fn no_model() -> Failure {
    Failure::new("E_USAGE", "no model is loaded")
}
