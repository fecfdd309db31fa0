//! Budgets of the day: what a question may take is set aside before it is asked, and put right when it is answered.
//!
//! It stands in SQL, in one row for each principal and day, and whether there is room is decided by the statement that
//! takes it: so hosts that share a database share the budgets, and neither a restart nor many questions at once get past
//! them. Who made a component pays for it too. Where a host dies between asking and answer, what was set aside stays so:
//! the service may have worked.

use std::time::Duration;

use wasmill_registry::Money;

use super::super::errors;
use super::price::{Price, Tokens};
use crate::permissions::{Grant, Limit, LimitName, UNLIMITED};
use crate::runtime::bindings::errors::Error;
use crate::store::{ModelUse, Payer, Store, StoreError, now_ms};

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Takes from budgets.
#[derive(Debug, Clone)]
pub struct Account {
    store: Store,
}

/// What one question may take, set aside.
pub(super) struct Reserved {
    store: Store,
    day: i64,
    principal: String,
    payers: Vec<String>,
    model: String,
    price: Option<Price>,
    estimate: Tokens,
}

impl Account {
    /// Budgets that stand in this database.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Sets aside what a question may take, for whoever asks and for its makers.
    ///
    /// # Errors
    /// `limit` where a budget has no room for it, with when it begins anew; `unavailable` where that can't be written down:
    /// what can't be counted is not asked.
    pub(super) async fn reserve(
        &self,
        grant: &Grant,
        model: &str,
        price: Option<Price>,
        estimate: Tokens,
    ) -> Result<Reserved, Error> {
        let now = now_ms();
        let (day, cost) = (now.div_euclid(DAY_MS), estimate.cost(price));
        if price.is_none()
            && let Some(payer) = grant.payers().find(|payer| is_set(payer.limits().get(LimitName::ModelCostPerDay)))
        {
            let limit = payer.limits().get(LimitName::ModelCostPerDay);
            return Err(errors::limit(
                "model.price",
                format!("nobody knows what model {model} costs, and {} has a budget: {limit}", payer.principal()),
                format!("say what it costs: add {model:?} to prices under [model] in host.toml"),
            ));
        }
        let payers: Vec<Payer> = grant.payers().map(payer).collect();
        let refused = self.store.reserve_model_use(day, &payers, estimate.total(), cost.micros()).await;
        if let Some(refused) = refused.map_err(|error| uncounted(&error))? {
            let found = grant.payers().find(|payer| payer.principal().as_str() == refused.principal).unwrap_or(grant);
            let used = (refused.tokens, Money::from_micros(refused.cost_micros));
            return Err(reached(found, used, (estimate.total(), cost), until_tomorrow(now)));
        }
        Ok(Reserved {
            store: self.store.clone(),
            day,
            principal: grant.principal().to_string(),
            payers: payers.into_iter().map(|payer| payer.principal).collect(),
            model: model.to_owned(),
            price,
            estimate,
        })
    }
}

impl Reserved {
    /// The question is answered, and took this.
    pub async fn settle(self, took: Tokens) {
        let taken = ModelUse {
            hour: now_ms().div_euclid(HOUR_MS),
            principal: self.principal.clone(),
            model: self.model.clone(),
            calls: 1,
            prompt_tokens: took.prompt,
            completion_tokens: took.completion,
            cost_micros: took.cost(self.price).micros(),
        };
        self.correct(took, Some(&taken)).await;
    }

    /// The service took nothing.
    pub async fn release(self) {
        self.correct(Tokens::default(), None).await;
    }

    async fn correct(&self, took: Tokens, taken: Option<&ModelUse>) {
        let change = |now: u64, before: u64| i64::try_from(i128::from(now) - i128::from(before)).unwrap_or(i64::MAX);
        let tokens = change(took.total(), self.estimate.total());
        let cost = change(took.cost(self.price).micros(), self.estimate.cost(self.price).micros());
        if let Err(error) = self.store.correct_model_use(self.day, &self.payers, tokens, cost, taken).await {
            // Then as much is counted as was set aside, which is more.
            let principal = &self.principal;
            tracing::warn!(code = error.code(), %principal, "what a question took is not written down: {error}");
        }
    }
}

fn is_set(limit: &Limit) -> bool {
    limit.value != UNLIMITED
}

fn payer(grant: &Grant) -> Payer {
    let most = |name| Some(grant.limits().get(name)).filter(|limit| is_set(limit)).map(|limit| limit.value);
    Payer {
        principal: grant.principal().to_string(),
        tokens_max: most(LimitName::ModelTokensPerDay),
        cost_micros_max: most(LimitName::ModelCostPerDay),
    }
}

/// A budget without room for a question: which one, how far it is used up, and when it begins anew.
fn reached(payer: &Grant, used: (u64, Money), wanted: (u64, Money), anew: Duration) -> Error {
    let who = payer.principal();
    let (tokens, cost) =
        (payer.limits().get(LimitName::ModelTokensPerDay), payer.limits().get(LimitName::ModelCostPerDay));
    let over = |limit: &Limit, used: u64, wanted: u64| is_set(limit) && used.saturating_add(wanted) > limit.value;
    let (limit, is_ever, said) = if over(tokens, used.0, wanted.0) {
        let said = format!("{who} has used {} tokens today and this question may take {} more", used.0, wanted.0);
        (tokens, wanted.0 <= tokens.value, said)
    } else {
        let said = format!("{who} has spent {} today and this question may cost {} more", used.1, wanted.1);
        (cost, wanted.1.micros() <= cost.value, said)
    };
    let next = if is_ever {
        let hours = errors::seconds(anew).div_ceil(3600);
        format!("the budget begins anew at midnight UTC, in under {hours} h; or raise {} where it is set", limit.name)
    } else {
        format!("ask for a shorter answer (max-tokens), or raise {} where it is set", limit.name)
    };
    errors::passing_limit("limit.budget", format!("{said}: {limit}"), next, is_ever.then_some(anew))
}

fn until_tomorrow(now_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(DAY_MS - now_ms.rem_euclid(DAY_MS)).unwrap_or_default())
}

fn uncounted(error: &StoreError) -> Error {
    errors::unavailable(
        "model.uncounted",
        format!("what the model is asked can't be counted now: {error}"),
        "try again when the database is back",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::{Matrix, Principal};

    const ROWS: &str = "[[row]]\nprincipal = \"agent:a\"\nmodel = [\"m\"]\n\
        limits = { model_tokens_per_day = 100, model_cost_per_day = \"0.01\" }\n";

    async fn account() -> (tempfile::TempDir, Account) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_file(&folder.path().join("store.db")).await.unwrap();
        (folder, Account::new(store))
    }

    fn grants() -> (Grant, Grant) {
        let matrix = Matrix::parse(ROWS).unwrap();
        let maker = matrix.grant(&Principal::agent("a"), None, None, None);
        let made = matrix.grant(&Principal::tool("a.t"), None, None, Some(&maker));
        (maker, made)
    }

    fn price() -> Option<Price> {
        Some(Price { input: "1.00".parse().unwrap(), output: "1.00".parse().unwrap() })
    }

    fn tokens(prompt: u64, completion: u64) -> Tokens {
        Tokens { prompt, completion }
    }

    fn limit(refused: Result<Reserved, Error>) -> crate::problem::Problem {
        let Err(error) = refused else { panic!("there was room") };
        let problem = errors::problem(&error);
        assert_eq!(problem.kind, crate::problem::ProblemKind::Limit, "{problem:?}");
        problem
    }

    #[tokio::test]
    async fn a_question_is_set_aside_and_put_right() {
        let (_folder, account) = account().await;
        let (grant, _) = grants();
        let first = account.reserve(&grant, "m", price(), tokens(10, 80)).await.unwrap();
        let refused = limit(account.reserve(&grant, "m", price(), tokens(5, 10)).await);
        assert_eq!(refused.code, "limit.budget");
        assert!(refused.message.contains("used 90 tokens today and this question may take 15 more"), "{refused:?}");
        assert!(refused.message.contains("model_tokens_per_day = 100 (row for \"agent:a\""), "{refused:?}");
        let day = u64::try_from(DAY_MS).unwrap();
        assert!(refused.retry_after_ms.is_some_and(|ms| ms > 0 && ms <= day), "{refused:?}");
        first.settle(tokens(10, 20)).await;
        account.reserve(&grant, "m", price(), tokens(5, 65)).await.unwrap().release().await;
        account.reserve(&grant, "m", price(), tokens(5, 65)).await.unwrap();
        limit(account.reserve(&grant, "m", price(), tokens(1, 0)).await);
    }

    #[tokio::test]
    async fn what_was_made_spends_its_makers_budget() {
        let (_folder, account) = account().await;
        let (maker, made) = grants();
        account.reserve(&made, "m", price(), tokens(30, 30)).await.unwrap();
        let refused = limit(account.reserve(&maker, "m", price(), tokens(41, 0)).await);
        assert!(refused.message.starts_with("agent:a has used 60 tokens"), "{refused:?}");
        account.reserve(&maker, "m", price(), tokens(40, 0)).await.unwrap();
        let refused = limit(account.reserve(&made, "m", price(), tokens(1, 0)).await);
        assert!(refused.message.starts_with("agent:a has used 100 tokens"), "{refused:?}");
        assert_eq!(account.store.model_days(now_ms().div_euclid(DAY_MS)).await.unwrap().len(), 2);
        // Where the maker has no room, nothing of what was made is set aside either.
        let of_made = account.store.model_days(now_ms().div_euclid(DAY_MS)).await.unwrap();
        assert!(of_made.iter().any(|day| day.principal == "tool:a.t" && day.tokens == 60), "{of_made:?}");
    }

    #[tokio::test]
    async fn money_is_a_budget_of_its_own_and_needs_a_price() {
        let (_folder, account) = account().await;
        let (grant, _) = grants();
        let dear = Some(Price { input: "200".parse().unwrap(), output: "200".parse().unwrap() });
        account.reserve(&grant, "m", dear, tokens(40, 0)).await.unwrap();
        let refused = limit(account.reserve(&grant, "m", dear, tokens(20, 0)).await);
        assert!(refused.message.contains("spent 0.008 today and this question may cost 0.004 more"), "{refused:?}");
        assert!(refused.message.contains("model_cost_per_day = \"0.01\""), "{refused:?}");
        let refused = limit(account.reserve(&grant, "other", None, tokens(1, 0)).await);
        assert_eq!((refused.code.as_str(), refused.retry_after_ms), ("model.price", None));
    }

    #[tokio::test]
    async fn what_is_over_a_whole_budget_never_passes() {
        let (_folder, account) = account().await;
        let refused = limit(account.reserve(&grants().0, "m", price(), tokens(1, 100)).await);
        assert_eq!(refused.retry_after_ms, None);
        assert!(refused.next.contains("max-tokens"), "{refused:?}");
    }

    #[tokio::test]
    async fn many_at_once_do_not_get_past_a_budget() {
        let (_folder, account) = account().await;
        let (grant, _) = grants();
        let asks = (0..30).map(|_| account.reserve(&grant, "m", price(), tokens(0, 10)));
        let answers = futures::future::join_all(asks).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
    }
}
