use super::*;

#[test]
fn the_defaults_parse() {
    let config = RiskConfig::defaults().expect("the defaults parse");
    assert!(config.spread.flow.len() > 10);
    assert!(RiskConfig::parse("model = 1").is_err());
}

#[test]
fn ranks_weigh_as_in_the_published_vector() {
    // Elastic's entity risk: alerts of 70, 45, 21, 21, 21 give 36.16 after division by 2.612, which we leave out.
    let sum: f64 =
        rank_damped([45.0, 21.0, 70.0, 21.0, 21.0].into_iter().enumerate().collect()).iter().map(|a| a.1).sum();
    assert!((sum / 2.612 - 36.16).abs() < 0.02, "{sum}");
}

#[test]
fn a_thousand_weak_are_less_than_one_strong() {
    let sum =
        |scores: Vec<f64>| -> f64 { rank_damped(scores.into_iter().enumerate().collect()).iter().map(|a| a.1).sum() };
    assert!(sum(vec![20.0; 1000]) < sum(vec![80.0]));
    assert!(sum(vec![100.0; 1000]) <= 100.0);
}
