//! Configurations: presets, overrides, and what is refused.

use coldstart_objective::{Aggregation, Config, LossType};

fn parse(json: &str) -> Config {
    serde_json::from_str(json).unwrap()
}

fn refusal(json: &str) -> String {
    parse(json).resolve().unwrap_err().to_string()
}

#[test]
fn every_preset_resolves_by_its_name() {
    for name in ["paper", "grpo", "dapo", "bnpo", "gspo", "cispo", "sapo", "luspo", "vespo", "gmpo", "rloo", "default"]
    {
        parse(&format!(r#"{{ "lossType": "{name}" }}"#)).resolve().unwrap();
    }
    assert_eq!(LossType::ALL.len(), 13);
    let dr_grpo = r#"{ "lossType": "dr_grpo", "maxCompletionLength": 32 }"#;
    assert_eq!(parse(dr_grpo).resolve().unwrap().loss_aggregation, Aggregation::SeqSumNorm);
}

#[test]
fn no_preset_is_the_paper_loss_without_its_quirks() {
    let (default, paper) = (parse("{}").resolve().unwrap(), parse(r#"{ "lossType": "paper" }"#).resolve().unwrap());
    assert_eq!((default.epsilon, default.epsilon_high, default.delta, default.beta), (0.2, 0.3, Some(3.0), 0.01));
    assert_eq!((paper.epsilon, paper.epsilon_high, paper.delta, paper.beta), (0.2, 0.3, Some(3.0), 0.01));
    assert_eq!(
        (default.loss_aggregation, paper.loss_aggregation),
        (Aggregation::TokenMean, Aggregation::GroupTokenMean)
    );
    assert_eq!((default.kl_clamp, default.ratio_clamp, default.masked_mean_eps), (None, Some(20.0), 0.0));
    assert_eq!((paper.kl_clamp, paper.ratio_clamp, paper.masked_mean_eps), (Some(10.0), None, 1e-8));
}

#[test]
fn null_switches_off_what_a_preset_switched_on() {
    let objective = parse(r#"{ "lossType": "paper", "delta": null, "klClamp": null }"#).resolve().unwrap();
    assert_eq!((objective.delta, objective.kl_clamp), (None, None));
    assert_eq!(parse(r#"{ "lossType": "paper" }"#).resolve().unwrap().delta, Some(3.0));
}

#[test]
fn field_names_of_kl_estimators_are_understood() {
    for name in ["kl", "abs", "mse", "low_var_kl", "k1", "k2", "k3", "k3+"] {
        parse(&format!(r#"{{ "klEstimator": "{name}" }}"#)).resolve().unwrap();
    }
}

#[test]
fn an_unknown_option_is_refused_by_name() {
    let error = serde_json::from_str::<Config>(r#"{ "epsilonHihg": 0.3 }"#).unwrap_err().to_string();
    assert!(error.contains("epsilonHihg"), "{error}");
}

#[test]
fn a_number_out_of_range_is_refused_with_what_was_expected() {
    assert_eq!(refusal(r#"{ "beta": -1 }"#), "beta: expected a number of at least 0, got -1");
    assert_eq!(
        refusal(r#"{ "topEntropyQuantile": 0 }"#),
        "topEntropyQuantile: expected a number above 0 and at most 1, got 0"
    );
    assert_eq!(refusal(r#"{ "delta": 1 }"#), "delta: expected a number above 1, or null, got 1");
    assert_eq!(refusal(r#"{ "epsilon": 1.5 }"#), "epsilon: expected a number from 0 to 1, got 1.5");
    assert_eq!(
        refusal(r#"{ "rolloutCorrection": "token-mask", "rolloutCorrectionMax": 0.5 }"#),
        "rolloutCorrectionMax: expected a number of at least 1, got 0.5"
    );
    assert_eq!(
        refusal(r#"{ "lossAggregation": "group-token-mean", "aggregationGroup": 0 }"#),
        "aggregationGroup: expected a number of rows, at least 1, got 0"
    );
    assert_eq!(
        refusal(r#"{ "lossType": "dr_grpo" }"#),
        "maxCompletionLength: expected the response limit, as seq-sum-norm divides by it, got nothing"
    );
}

#[test]
fn an_option_that_the_loss_would_not_read_is_refused() {
    assert_eq!(
        refusal(r#"{ "lossType": "sapo", "epsilon": 0.2 }"#),
        "epsilon: expected no value without kind clip or gmpo, got one"
    );
    assert_eq!(refusal(r#"{ "vespoKPos": 2 }"#), "vespoKPos: expected no value without kind vespo, got one");
    assert_eq!(
        refusal(r#"{ "aggregationGroup": 4 }"#),
        "aggregationGroup: expected no value without lossAggregation group-token-mean, got one"
    );
    for (field, value) in [("klEstimator", r#""k2""#), ("klClamp", "10")] {
        assert_eq!(
            refusal(&format!(r#"{{ "beta": 0, "{field}": {value} }}"#)),
            format!("{field}: expected no value without a beta above 0, got one")
        );
    }
    assert_eq!(
        refusal(r#"{ "aggregationInterleaved": true }"#),
        "aggregationInterleaved: expected no value without lossAggregation group-token-mean, got one"
    );
}
