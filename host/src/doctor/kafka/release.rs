//! Which Kafka it is, by what it can do: no broker tells its version.

use super::protocol::Api;

const FETCH: i16 = 1;
const TXN_OFFSET_COMMIT: i16 = 28;
const DESCRIBE_CLUSTER: i16 = 60;
const DESCRIBE_TRANSACTIONS: i16 = 65;
const CONSUMER_GROUP_HEARTBEAT: i16 = 68;

/// In this version an offset commit carries the member's generation, by which a group fences who it has thrown out.
const FENCED_COMMIT: i16 = 3;

/// Kafka 4 has dropped all older ones. (It still names old versions of producing, which it doesn't take.)
const OLDEST_FETCH_OF_4: i16 = 4;

/// The oldest release that can do all this.
pub(super) fn at_least(apis: &[Api]) -> &'static str {
    let find = |key: i16| apis.iter().find(|api| api.key == key);
    if find(FETCH).is_some_and(|api| api.min >= OLDEST_FETCH_OF_4) {
        "4.0"
    } else if find(CONSUMER_GROUP_HEARTBEAT).is_some() {
        "3.7"
    } else if find(DESCRIBE_TRANSACTIONS).is_some() {
        "3.0"
    } else if find(DESCRIBE_CLUSTER).is_some() {
        "2.8"
    } else if has_fenced_transactions(apis) {
        "2.5"
    } else {
        "0.10"
    }
}

/// True where a host can work exactly once on it.
pub(super) fn has_fenced_transactions(apis: &[Api]) -> bool {
    apis.iter().any(|api| api.key == TXN_OFFSET_COMMIT && api.max >= FENCED_COMMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_known_by_what_it_can_do() {
        let api = |key, min, max| Api { key, min, max };
        let old = [api(1, 0, 7), api(28, 0, 2)];
        assert_eq!((at_least(&old), has_fenced_transactions(&old)), ("0.10", false));
        let fenced = [api(1, 0, 8), api(28, 0, 3)];
        assert_eq!((at_least(&fenced), has_fenced_transactions(&fenced)), ("2.5", true));
        assert_eq!(at_least(&[api(1, 0, 9), api(60, 0, 0), api(65, 0, 0)]), "3.0");
        assert_eq!(at_least(&[api(0, 0, 12), api(1, 4, 17), api(68, 0, 1)]), "4.0");
    }
}
