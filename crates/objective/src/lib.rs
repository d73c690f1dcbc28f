//! The reinforcement-learning objective: advantages, policy losses, KL and aggregation, in f64. Knows no tensors.
//!
//! One algebra instead of one function per published loss:
//!
//! ```text
//! L = Σ_it w_it · ( p_it · ℓ(ρ_it, A_it, logp_it)  +  β · k(ref_it − logp_it) )  −  c · mean H
//! ```
//!
//! | factor | module | choices |
//! |---|---|---|
//! | `ρ` | `ratio` | token, sequence, sequence-token, clipped geometric mean |
//! | `ℓ` | `policy` | clip (and dual clip), cispo, sapo, vespo, gmpo, reinforce |
//! | `k` | `kl` | k1, abs, k2, k3, k3+ |
//! | `p` | `mask` | entropy quantile, off-policy rows, rollout correction |
//! | `w` | [`totals`] | token-mean, seq-mean, seq-sum-norm, group-token-mean, seq-sum |
//!
//! [`evaluate`] gives the loss and its gradient by every log-probability. Everything that depends on the whole update is in
//! [`Totals`], computed before the first micro-batch, so that micro-batches sum to the whole.
//!
//! ```
//! use coldstart_objective::{evaluate, Advantage, Config, LossType, Row, Totals};
//!
//! let objective = Config { loss_type: Some(LossType::Grpo), beta: Some(0.0), ..Config::default() }.resolve()?;
//! let rows = [Row { index: 0, logp: &[-1.0, -2.0], old: &[-1.0, -2.0], advantage: Advantage::Row(1.0), ..Row::default() }];
//! let totals = Totals::new(&objective, &rows)?;
//! let result = evaluate(&objective, &totals, &rows)?;
//! assert_eq!(result.loss, -1.0);
//! assert_eq!(result.grad_logp, vec![vec![-0.5, -0.5]]);
//! # Ok::<(), coldstart_objective::Error>(())
//! ```

mod advantages;
mod config;
mod error;
pub mod golden;
mod kl;
mod loss;
mod mask;
mod metrics;
mod objective;
mod policy;
mod presets;
mod ratio;
mod row;
mod schedule;
pub mod totals;

pub use advantages::{AdvantageEstimator, advantages};
pub use config::Config;
pub use error::{Error, Result};
pub use kl::KlEstimator;
pub use loss::{Evaluation, evaluate};
pub use mask::CorrectionKind;
pub use metrics::{Metrics, Sums};
pub use objective::{Aggregation, Correction, Objective};
pub use policy::Policy;
pub use presets::LossType;
pub use ratio::Level;
pub use row::{Advantage, Row};
pub use schedule::{Schedule, ScheduleKind};
pub use totals::Totals;
