//! Timers: forged, too many, too large, without end.

use std::time::Duration;

use wasmill_sdk::{Error, Failure, Outbox, Record, state, timers};

use crate::{Attack, Case, RESULTS, lost};

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "timer-keys",
        must: "No key of `state` reads, lists or forges a timer: the result is an empty list.",
        run: keys,
    },
    Attack { name: "timer-names", must: "No odd name is taken: the result is an empty list.", run: names },
    Attack { name: "timer-payload", must: "A payload of 2 MiB is refused with `invalid`.", run: payload },
    Attack { name: "timer-far", must: "No moment beyond ten years is taken: the result is 0.", run: far },
    Attack { name: "timer-many", must: "100,000 timers meet `limit` at `timers_waiting`.", run: many },
    Attack { name: "timer-fill", must: "Payloads without end meet `limit` at `state_mib`.", run: fill },
    Attack {
        name: "timer-storm",
        must: "Eight timers that set each other again at once, for ever, hold up no record.",
        run: storm,
    },
    Attack {
        name: "timer-set",
        must: "Harmless: sets the timer `timer` that is due at once; its payload `payload` says what comes of it.",
        run: set,
    },
    Attack { name: "timer-cancel", must: "A timer is cancelled once: the result is [true, false].", run: cancel },
    Attack { name: "timer-fired", must: "Harmless: the timers that have fired, each with its times.", run: fired },
];

const HOUR: Duration = Duration::from_secs(3600);

/// What a timer does when it fires.
pub fn fire(timer: &Record<'_>, out: &mut Outbox) -> Result<(), Failure> {
    let name = timer.key_str().unwrap_or_default();
    match timer.value_str() {
        Some("storm") => blow()?,
        Some("fail") => return Err(Error::failed(lost::CODE, "as it was told").into()),
        // A compacted topic refuses it, when the work is committed.
        Some("keyless") => out.send(RESULTS, None, Some(b"keyless"))?,
        Some("trap") => panic!("as it was told"),
        _ => {}
    }
    let key = format!("fired-{name}");
    let times = state::get(&key)?.map_or(0, |bytes| bytes.first().copied().unwrap_or_default());
    Ok(state::set(&key, [times.saturating_add(1)])?)
}

fn keys(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    timers::after("hidden", HOUR, "secret")?;
    let due = |name: &str| [&[4, 0, 0, 0, 0, 0, 0, 0, 0, 2], name.as_bytes()].concat();
    let forged = [b"\x02forged".to_vec(), b"\x03forged".to_vec(), due("forged"), vec![0, 1], vec![0, 2]];
    let mut found = Vec::new();
    for key in forged.iter().chain(&[b"\x02hidden".to_vec(), b"hidden".to_vec(), due("hidden")]) {
        if state::get(key)?.is_some() {
            found.push(format!("{key:?} is there"));
        }
    }
    for key in &forged {
        state::set(key, b"\0\0\0\0\0\0\0\0")?;
    }
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let listed = state::scan("", None, u32::MAX)?;
    let listed = listed.iter().map(|entry| shown(&entry.key) + &shown(&entry.value));
    found.extend(listed.filter(|entry| entry.contains("hidden") || entry.contains("secret")));
    found.extend(timers::waiting(None, u32::MAX)?.into_iter().map(|timer| timer.name).filter(|name| name != "hidden"));
    for key in &forged {
        state::delete(key)?;
    }
    timers::cancel("hidden")?;
    Ok(format!("{found:?}"))
}

fn names(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let huge = "x".repeat(257);
    let odd = ["", "a\0b", "a\nb", "\u{7f}", &huge];
    Ok(format!("{:?}", odd.iter().filter(|name| timers::after(name, HOUR, "").is_ok()).collect::<Vec<_>>()))
}

fn payload(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    timers::after("large", HOUR, vec![b'x'; 2 * 1024 * 1024])?;
    Ok("set".to_owned())
}

fn far(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let eleven_years = HOUR * 24 * 366 * 11;
    let taken = [
        timers::after("far", Duration::MAX, ""),
        timers::after("far", eleven_years, ""),
        timers::at("far", u64::MAX, ""),
        timers::at("far", i64::MAX as u64, ""),
    ];
    Ok(taken.iter().filter(|taken| taken.is_ok()).count().to_string())
}

fn many(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    for number in 0..100_000 {
        timers::after(&format!("many-{number}"), HOUR, "")?;
    }
    Ok("100000 timers".to_owned())
}

fn fill(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let block = vec![0xEEu8; 64 * 1024];
    for number in 0..100_000 {
        timers::after(&format!("fill-{number}"), HOUR, &block)?;
    }
    Ok("set 6 GB".to_owned())
}

fn storm(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    blow()?;
    Ok("it blows".to_owned())
}

fn blow() -> Result<(), Error> {
    (0..8).try_for_each(|number| timers::after(&format!("storm-{number}"), Duration::ZERO, "storm"))
}

fn set(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    timers::at(case.text("timer", "one"), 0, case.text("payload", ""))?;
    Ok("set".to_owned())
}

fn cancel(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    timers::after("cancelled", Duration::from_millis(1), "")?;
    Ok(format!("{:?}", [timers::cancel("cancelled")?, timers::cancel("cancelled")?]))
}

fn fired(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let entries = state::scan("fired-", None, 1000)?.into_iter();
    let times = entries.map(|entry| {
        let name = String::from_utf8_lossy(&entry.key).trim_start_matches("fired-").to_owned();
        (name, entry.value.first().copied().unwrap_or_default())
    });
    Ok(format!("{:?}", times.filter(|(name, _)| !name.starts_with("storm-")).collect::<Vec<_>>()))
}
