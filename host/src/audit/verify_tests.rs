use proptest::prelude::*;

use super::*;
use crate::store::AuditEntry;
use crate::store::hash_of;

const CHAIN: &str = "host";

/// A chain as a host writes it; `old` rows in front are from before there were hashes.
fn chain_of(entries: &[AuditEntry], old: usize) -> Vec<AuditRow> {
    let mut rows = Vec::new();
    let mut before = NO_ROW;
    for (seq, entry) in (1..).zip(entries) {
        let hash = hash_of(CHAIN, seq, before, entry);
        let is_old = rows.len() < old;
        before = if is_old { NO_ROW } else { hash };
        let AuditEntry { at_ms, principal, action, decision, detail } = entry.clone();
        let hash = (!is_old).then(|| hash.to_string());
        rows.push(AuditRow { chain: CHAIN.into(), seq, at_ms, principal, action, decision, detail, hash });
    }
    rows
}

/// Signs some rows, and the last one.
fn signed(rows: &[AuditRow], every: usize) -> Vec<Signed> {
    let is_signed = |row: &&AuditRow| row.seq % every as i64 == 0 || row.seq == rows.len() as i64;
    let signed = |row: &AuditRow| Some(Signed { seq: row.seq, hash: row.hash.clone()? });
    rows.iter().filter(is_signed).filter_map(signed).collect()
}

fn verify(rows: &[AuditRow], signed: &[Signed], page: usize) -> ChainReport {
    let mut check = ChainCheck::new(CHAIN);
    let mut after = i64::MIN;
    for rows in rows.chunks(page) {
        let upto = rows[rows.len() - 1].seq;
        let these: Vec<Signed> = signed.iter().filter(|s| s.seq > after && s.seq <= upto).cloned().collect();
        check.page(rows, &these);
        after = upto;
    }
    check.page(&[], &signed.iter().filter(|s| s.seq > after).cloned().collect::<Vec<_>>());
    check.finish()
}

fn kinds(report: &ChainReport) -> Vec<(i64, FaultKind)> {
    report.faults.iter().map(|fault| (fault.seq, fault.kind)).collect()
}

fn entry() -> impl Strategy<Value = AuditEntry> {
    // Few different texts, so that equal neighbours and empty ones come up.
    let text = || prop::sample::select(vec!["", "a", "ab", "b", "ä", "agent:a"]);
    (0..3_i64, text(), text(), text(), text()).prop_map(|(at_ms, principal, action, decision, detail)| {
        let [principal, action, decision, detail] = [principal, action, decision, detail].map(str::to_owned);
        AuditEntry { at_ms, principal, action, decision, detail }
    })
}

fn entries() -> impl Strategy<Value = Vec<AuditEntry>> {
    prop::collection::vec(entry(), 2..12)
}

/// Changes one field of a row.
fn change(row: &mut AuditRow, field: usize) {
    match field {
        0 => row.at_ms ^= 1,
        1 => row.principal.push('x'),
        2 => row.action.push('x'),
        3 => row.decision.push('x'),
        4 => row.detail.insert(0, '\u{1}'),
        5 => row.hash = None,
        6 => row.hash = row.hash.take().map(|hash| hash.to_uppercase().replace(|c: char| c.is_ascii_digit(), "A")),
        7 => row.chain.push('x'),
        // A border between two texts.
        _ => match row.action.pop() {
            Some(moved) => row.decision.insert(0, moved),
            None => row.principal.push('y'),
        },
    }
}

proptest! {
    #[test]
    fn what_was_written_has_no_fault(entries in entries(), every in 1_usize..4, page in 1_usize..5, old in 0_usize..3) {
        let rows = chain_of(&entries, old);
        let report = verify(&rows, &signed(&rows, every), page);
        prop_assert_eq!(kinds(&report), vec![]);
        prop_assert_eq!((report.rows, report.from, report.to), (rows.len() as u64, 1, rows.len() as i64));
        let hashed_from = (old < rows.len()).then_some(old as i64 + 1);
        prop_assert_eq!(report.hashed_from, hashed_from);
    }

    #[test]
    fn each_changed_field_is_found_at_its_row(
        entries in entries(), at in any::<prop::sample::Index>(), field in 0_usize..9, page in 1_usize..5,
    ) {
        let mut rows = chain_of(&entries, 0);
        let at = at.index(rows.len());
        change(&mut rows[at], field);
        // Without anything signed: the hashes alone show it. A first row without one may be older than hashes, but what
        // follows it is not.
        let seq = if (at, field) == (0, 5) { 2 } else { at as i64 + 1 };
        let report = verify(&rows, &[], page);
        let first = kinds(&report).into_iter().next();
        prop_assert_eq!(first, Some((seq, FaultKind::Changed)), "{:?}", report.faults);
    }

    #[test]
    fn a_changed_row_whose_hash_is_made_anew_is_found_by_the_next(
        entries in entries(), at in any::<prop::sample::Index>(), field in 0_usize..5, page in 1_usize..5,
    ) {
        let mut rows = chain_of(&entries, 0);
        let at = at.index(rows.len() - 1);
        change(&mut rows[at], field);
        let before = at.checked_sub(1).map_or(NO_ROW, |before| AuditHash::read(rows[before].hash.as_deref()));
        rows[at].hash = Some(rows[at].hash_at(rows[at].seq, before).to_string());
        let report = verify(&rows, &[], page);
        prop_assert_eq!(kinds(&report), vec![(at as i64 + 2, FaultKind::Changed)]);
    }

    #[test]
    fn a_chain_that_is_made_anew_is_found_by_what_was_signed(
        entries in entries(), at in any::<prop::sample::Index>(), every in 1_usize..4, page in 1_usize..5,
        old in 0_usize..2,
    ) {
        let mut entries = entries;
        let known = signed(&chain_of(&entries, 0), every);
        let at = at.index(entries.len());
        entries[at].detail.push('x');
        // Also one that pretends that its first rows are older than hashes.
        let report = verify(&chain_of(&entries, old), &known, page);
        prop_assert!(kinds(&report).contains(&(entries.len() as i64, FaultKind::Changed)), "{:?}", report.faults);
    }

    #[test]
    fn a_dropped_row_is_found(
        entries in entries(), at in any::<prop::sample::Index>(), count in 1_usize..4, page in 1_usize..5,
    ) {
        let mut rows = chain_of(&entries, 0);
        let known = signed(&rows, 3);
        let at = at.index(rows.len());
        let end = (at + count).min(rows.len());
        let is_end = end == rows.len();
        rows.drain(at..end);
        let kind = if is_end { FaultKind::Truncated } else { FaultKind::Missing };
        prop_assert_eq!(kinds(&verify(&rows, &known, page)), vec![(at as i64 + 1, kind)]);
    }

    #[test]
    fn a_dropped_row_is_found_where_the_others_close_the_gap(
        entries in entries(), at in any::<prop::sample::Index>(), page in 1_usize..5,
    ) {
        let mut rows = chain_of(&entries, 0);
        let known = signed(&rows, 3);
        rows.remove(at.index(rows.len()));
        for (seq, row) in (1..).zip(&mut rows) {
            row.seq = seq;
        }
        prop_assert!(!verify(&rows, &known, page).faults.is_empty());
    }

    #[test]
    fn two_swapped_rows_are_found_and_no_other_is_accused(
        entries in entries(), one in any::<prop::sample::Index>(), two in any::<prop::sample::Index>(),
        whole in any::<bool>(), page in 1_usize..5,
    ) {
        let mut rows = chain_of(&entries, 0);
        let (one, two) = (one.index(rows.len()), two.index(rows.len()));
        let (one, two) = (one.min(two), one.max(two));
        prop_assume!(one != two && (whole || entries[one] != entries[two]));
        rows.swap(one, two);
        let (first, second) = (rows[one].clone(), rows[two].clone());
        (rows[one].seq, rows[two].seq) = (second.seq, first.seq);
        if !whole {
            (rows[one].hash, rows[two].hash) = (second.hash, first.hash);
        }
        let report = verify(&rows, &[], page);
        prop_assert_eq!(kinds(&report), vec![(one as i64 + 1, FaultKind::Swapped)], "{:?}", report.faults);
    }

    #[test]
    fn a_chain_that_is_gone_is_truncated_from_its_first_row(entries in entries()) {
        let rows = chain_of(&entries, 0);
        let report = verify(&[], &signed(&rows, 3), 1);
        prop_assert_eq!(kinds(&report), vec![(1, FaultKind::Truncated)]);
    }
}

#[test]
fn a_row_in_front_of_the_first_is_found() {
    let entries: Vec<AuditEntry> = (0..3).map(|n| AuditEntry::now("a", n.to_string(), "allowed", "")).collect();
    let mut rows = chain_of(&entries, 0);
    rows.insert(0, AuditRow { seq: 0, ..rows[0].clone() });
    assert_eq!(kinds(&verify(&rows, &[], 2)), [(0, FaultKind::Changed)]);
}

#[test]
fn many_faults_are_counted_and_not_kept() {
    let entries: Vec<AuditEntry> = (0..3_000).map(|n| AuditEntry::now("a", n.to_string(), "allowed", "")).collect();
    let mut rows = chain_of(&entries, 0);
    rows.iter_mut().for_each(|row| row.detail.push('x'));
    let report = verify(&rows, &[], 500);
    assert_eq!((report.faults.len(), report.fault_count()), (FAULTS_MAX, 3_000));
}
