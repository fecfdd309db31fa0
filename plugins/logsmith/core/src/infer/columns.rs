//! Layout of text lines: goes through them atom by atom, column by column, for as long as a column looks like a head's.

use super::kinds::{Kind, kind};
use super::share;
use crate::model::{HeadStep, Learned, Shape};
use crate::runtime::atom::{Atom, atom, key, shape, tag};
use crate::runtime::head::until;

/// Most columns of a head.
const COLUMNS_MAX: usize = 16;
/// Columns without a sign of a head that may stand between two that have one.
const GAP_MAX: usize = 4;
/// Share of lines, in percent, that make a column of one kind.
const SURE: usize = 95;
/// The same for tags, which some lines leave out.
const TAGGED: usize = 80;
/// Most shapes that one column of a time stamp may have.
const SHAPES_MAX: usize = 8;

/// Finds the head that most lines have.
pub fn text(lines: &[&str]) -> Shape {
    let mut steps = steps(&headed(lines));
    // A head that its own lines don't fit is worse than a shorter one.
    while !steps.is_empty() {
        let shape = Shape::Text { time: time_of(&steps), steps: steps.clone() };
        let learned = Learned { layout: shape, templates: Vec::new() };
        let shapes = learned.shapes();
        let lent = learned.lend(&shapes);
        let candidates = headed(lines);
        let fitting = candidates.iter().filter(|line| lent.layout().apply(line).headed).count();
        if share(fitting, candidates.len(), 85) {
            drop(lent);
            return learned.layout.clone();
        }
        steps.pop();
    }
    Shape::default()
}

/// The lines with a time stamp where most have it; all lines where too few have one.
fn headed<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let place =
        |line: &str| atoms(line).take(8).position(|a| matches!(kind(&a), Kind::Time | Kind::Calendar | Kind::Stamp));
    let mut counts = [0usize; 8];
    for line in lines {
        if let Some(at) = place(line) {
            counts[at] += 1;
        }
    }
    let Some((at, count)) = counts.iter().enumerate().rev().max_by_key(|(_, count)| **count) else {
        return Vec::new();
    };
    if share(*count, lines.len(), 10) {
        lines.iter().copied().filter(|line| place(line) == Some(at)).collect()
    } else {
        lines.iter().copied().filter(|line| !line.trim().is_empty()).collect()
    }
}

fn atoms(line: &str) -> impl Iterator<Item = Atom<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let next = atom(rest)?;
        rest = next.rest;
        Some(next)
    })
}

/// One column: what each line has there.
struct Column<'a> {
    lines: usize,
    atoms: Vec<Atom<'a>>,
    kinds: Vec<Kind>,
}

impl<'a> Column<'a> {
    fn at(rests: &[Option<&'a str>]) -> Self {
        let atoms: Vec<_> = rests.iter().filter_map(|rest| atom((*rest)?)).collect();
        Column { lines: rests.len(), kinds: atoms.iter().map(kind).collect(), atoms }
    }

    fn mostly(&self, wanted: &[Kind]) -> bool {
        share(self.kinds.iter().filter(|kind| wanted.contains(kind)).count(), self.lines, SURE)
    }

    fn groups(&self) -> bool {
        share(self.atoms.iter().filter(|a| a.group).count(), self.lines, SURE)
    }

    /// True where nearly all lines have `key=value` here, with the same key and a value of one word.
    fn keyed(&self) -> bool {
        let Some(first) = self.atoms.first().and_then(|a| key(a.whole)) else { return false };
        let alike = self
            .atoms
            .iter()
            .filter(|a| key(a.whole) == Some(first) && !a.whole[first.len() + 1..].starts_with('"'))
            .count();
        share(alike, self.lines, SURE)
    }

    fn shapes(&self) -> Vec<String> {
        let mut counts: Vec<(String, usize)> = Vec::new();
        for atom in &self.atoms {
            let shape = shape(atom.text);
            match counts.iter_mut().find(|(known, _)| *known == shape) {
                Some((_, count)) => *count += 1,
                None => counts.push((shape, 1)),
            }
        }
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts.truncate(SHAPES_MAX);
        counts.into_iter().map(|(shape, _)| shape).collect()
    }
}

/// Goes through the columns and keeps everything up to the last that shows a head.
fn steps(lines: &[&str]) -> Vec<HeadStep> {
    let mut rests: Vec<Option<&str>> = lines.iter().map(|line| Some(*line)).collect();
    let (mut steps, mut sure) = (Vec::new(), 0);
    let mut sure_rests = rests.clone();
    while steps.len() < COLUMNS_MAX && steps.len() <= sure + GAP_MAX {
        let gap = steps.len() - sure;
        let column = Column::at(&rests);
        let next: Vec<Option<&str>> = rests.iter().map(|rest| Some(atom((*rest)?)?.rest)).collect();
        let step = step(&column, &next, &steps, gap);
        if step.is_none() && gap <= 2 && is_tagged(&rests) {
            steps.push(HeadStep::Tag);
            return steps;
        }
        if step.is_none() && gap <= 1 && sure > 0 && aligned(lines, &rests) {
            sure = steps.len();
            sure_rests.clone_from(&rests);
        }
        rests = next;
        match step {
            Some(step) => {
                steps.push(step);
                sure = steps.len();
                sure_rests.clone_from(&rests);
            }
            None => steps.push(HeadStep::Word),
        }
    }
    steps.truncate(sure);
    if sure > 0
        && let Some(mark) = closing_mark(&sure_rests)
    {
        steps.push(HeadStep::Until(mark));
    }
    steps
}

/// What a column shows of a head, if anything.
fn step(column: &Column<'_>, next: &[Option<&str>], before: &[HeadStep], gap: usize) -> Option<HeadStep> {
    let time = || Some(HeadStep::Time(column.shapes()));
    let last = (gap == 0).then(|| before.last()).flatten();
    if column.mostly(&[Kind::Time]) || column.mostly(&[Kind::Calendar]) || column.mostly(&[Kind::Stamp]) {
        return time();
    }
    if column.mostly(&[Kind::Pair])
        && (Column::at(next).mostly(&[Kind::Time]) || matches!(last, Some(HeadStep::Time(_))))
    {
        return time();
    }
    if column.mostly(&[Kind::Level]) {
        return Some(HeadStep::Level);
    }
    if column.mostly(&[Kind::Number, Kind::Stamp]) {
        let day = matches!(last, Some(HeadStep::Time(shapes)) if shapes.iter().all(|s| s == "a"));
        return if day { time() } else { (gap == 0).then_some(HeadStep::Number) };
    }
    if column.groups() && gap <= 1 {
        return Some(HeadStep::Group);
    }
    if column.mostly(&[Kind::Mark]) && gap == 0 {
        return Some(HeadStep::Mark);
    }
    let barred = share(column.atoms.iter().filter(|a| a.bar).count(), column.lines, SURE);
    (barred || (!before.is_empty() && gap == 0 && column.keyed())).then_some(HeadStep::Word)
}

fn is_tagged(rests: &[Option<&str>]) -> bool {
    share(rests.iter().filter(|rest| rest.is_some_and(|rest| tag(rest).is_some())).count(), rests.len(), TAGGED)
}

/// True where the next word of most lines stands in the same place, padded with blanks: a table's column.
fn aligned(lines: &[&str], rests: &[Option<&str>]) -> bool {
    let mut starts: Vec<usize> = Vec::new();
    for (line, rest) in lines.iter().zip(rests) {
        let Some(rest) = rest else { continue };
        let word = rest.trim_start();
        if rest.len() - word.len() > 1 {
            starts.push(line.len() - word.len());
        }
    }
    starts.sort_unstable();
    let middle = starts.get(starts.len() / 2).copied();
    share(starts.iter().filter(|start| Some(**start) == middle).count(), lines.len(), SURE)
}

/// A lone mark that nearly all lines have within the next few words.
fn closing_mark(rests: &[Option<&str>]) -> Option<String> {
    ["-", "--", "=>", "::", ">", "\u{2013}"]
        .into_iter()
        .find(|mark| {
            share(
                rests.iter().filter(|rest| rest.is_some_and(|rest| until(mark, rest).is_some())).count(),
                rests.len(),
                SURE,
            )
        })
        .map(str::to_owned)
}

/// The longest run of steps that make a time stamp, by how much of it they hold.
fn time_of(steps: &[HeadStep]) -> Option<(usize, usize)> {
    let mut best: Option<(usize, (usize, usize))> = None;
    let mut at = 0;
    while at < steps.len() {
        let (first, mut size) = (at, 0);
        while let Some(HeadStep::Time(shapes)) = steps.get(at) {
            size += shapes.first().map_or(0, String::len);
            at += 1;
        }
        if size > 0 && best.is_none_or(|(most, _)| size > most) {
            best = Some((size, (first, at - 1)));
        }
        at += 1;
    }
    best.map(|(_, run)| run)
}
