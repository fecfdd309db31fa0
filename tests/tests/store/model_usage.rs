//! What questions to language models took.

use wasmill::store::{ModelDay, ModelUse, Payer, Store};

use super::open;

fn payer(principal: &str, tokens_max: Option<u64>, cost_micros_max: Option<u64>) -> Payer {
    Payer { principal: principal.to_owned(), tokens_max, cost_micros_max }
}

fn day(principal: &str, tokens: u64, cost_micros: u64) -> ModelDay {
    ModelDay { principal: principal.to_owned(), tokens, cost_micros }
}

/// Two stores, as two hosts have them.
pub async fn a_day_of_a_model_has_room_or_not_for_all_payers_at_once(address: &str) {
    let (here, there) = (open(address).await, open(address).await);
    let both = [payer("tool:a.t", None, None), payer("agent:a", Some(100), Some(50))];
    let reserve = async |store: &Store, tokens, cost| store.reserve_model_use(7, &both, tokens, cost).await.unwrap();
    assert_eq!(reserve(&here, 60, 10).await, None);
    assert_eq!(reserve(&there, 41, 10).await, Some(day("agent:a", 60, 10)));
    assert_eq!(reserve(&there, 40, 41).await, Some(day("agent:a", 60, 10)));
    assert_eq!(reserve(&there, 40, 40).await, None);
    let days = here.model_days(7).await.unwrap();
    assert_eq!(days, [day("agent:a", 100, 50), day("tool:a.t", 100, 50)], "who is refused has set nothing aside");
    assert_eq!(here.reserve_model_use(8, &both, 100, 50).await.unwrap(), None, "another day");

    let payers: Vec<String> = both.iter().map(|payer| payer.principal.clone()).collect();
    here.correct_model_use(7, &payers, -70, -20, None).await.unwrap();
    assert_eq!(there.model_days(7).await.unwrap(), [day("agent:a", 30, 30), day("tool:a.t", 30, 30)]);

    let one = [payer("agent:b", Some(10), None)];
    let ask = |store: Store| {
        let one = one.clone();
        async move { store.reserve_model_use(9, &one, 1, 0).await.unwrap().is_none() }
    };
    let asks = (0..40).map(|number| tokio::spawn(ask(if number % 2 == 0 { here.clone() } else { there.clone() })));
    let mut let_in = 0;
    for asked in asks.collect::<Vec<_>>() {
        let_in += usize::from(asked.await.unwrap());
    }
    assert_eq!(let_in, 10, "many at once, of two hosts");
}

pub async fn hours_of_models_add_up_and_old_ones_go(address: &str) {
    let store = open(address).await;
    let used = |hour, model: &str, prompt_tokens| ModelUse {
        hour,
        principal: "agent:a".into(),
        model: model.into(),
        calls: 1,
        prompt_tokens,
        completion_tokens: 2,
        cost_micros: 3,
    };
    for (hour, model, tokens) in [(240, "m", 1), (240, "m", 10), (240, "n", 5), (300, "m", 7)] {
        store.correct_model_use(10, &[], 0, 0, Some(&used(hour, model, tokens))).await.unwrap();
    }
    let sum = ModelUse { calls: 2, completion_tokens: 4, cost_micros: 6, ..used(240, "m", 11) };
    let all = [used(300, "m", 7), sum, used(240, "n", 5)];
    assert_eq!(store.model_uses(0).await.unwrap(), all);
    assert_eq!(store.model_uses(241).await.unwrap(), all[..1]);
    store.reserve_model_use(10, &[payer("agent:a", None, None)], 1, 0).await.unwrap();
    store.remove_model_uses(264).await.unwrap();
    assert_eq!(store.model_uses(0).await.unwrap(), all[..1]);
    assert!(store.model_days(10).await.unwrap().is_empty());
}
