//! The loop of a pair of topics: poll, begin calls, commit what is done.
//!
//! It polls all the time, whatever its calls do, so that a slow one never costs the group's membership.

use std::convert::Infallible;
use std::sync::Arc;

use super::call::{Around, Outcome};
use super::desk::{Desk, Place};
use super::status::Board;
use super::tools_group_of;
use crate::agents::{AgentState, Reason, ensure_dead_letter_topics, letter};
use crate::problem::Problem;
use crate::streams::{Membership, Output, StreamError, Work, Worker};

/// Most records of one poll, over all partitions.
const BATCH_RECORDS_MAX: usize = 256;
/// Most bytes of one poll, over all partitions.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most answers of one transaction.
const COMMIT_ANSWERS_MAX: usize = 1024;

/// Joins the group and answers until something fails.
///
/// # Errors
/// What failed; whoever calls tries again.
pub async fn session(around: &Arc<Around>, board: &Board) -> Result<Infallible, Problem> {
    let (config, services) = (&around.config, around.catalog.services());
    let mut worker = join(around).await?;
    let mut desk = Desk::new(around.clone());
    // After a refusal so many records are committed one by one.
    let mut alone = 0;
    board.set(&config.requests, AgentState::Running);
    loop {
        let wait = desk.wait().await;
        worker.hold(desk.full());
        let poll = worker.poll(wait).await?;
        poll.lost.iter().for_each(|place| desk.lose(place));
        poll.batches.iter().for_each(|batch| desk.take(batch));
        desk.collect();
        desk.start();
        let Some(round) = Round::of(around, &mut desk, if alone > 0 { 1 } else { COMMIT_ANSWERS_MAX }) else {
            continue;
        };
        let Round { work, ends, answers, dead_letters } = round;
        if dead_letters > 0 {
            ensure_dead_letter_topics(services, &work, &work.offsets).await?;
        }
        let rows = answers + dead_letters;
        match worker.commit_part(work).await {
            Ok(()) => {
                alone = u64::saturating_sub(alone, 1);
                board.count(answers, dead_letters);
                for (place, last) in ends {
                    if let Some(window) = desk.windows().get_mut(&place) {
                        window.committed(last);
                    }
                }
            }
            Err(error) if error.is_about_a_record() && rows > 1 => {
                tracing::warn!(requests = config.requests, rows, "answers refused: {error}");
                alone = rows;
            }
            // The answer that the log does not take: its request is set aside with what the log says.
            Err(error) if error.is_about_a_record() && dead_letters == 0 => {
                tracing::warn!(requests = config.requests, "an answer is refused: {error}");
                for (place, offset) in &ends {
                    if let Some(window) = desk.windows().get_mut(place) {
                        window.settle(*offset, Outcome::SetAside(error.clone().into()), 0);
                    }
                }
            }
            Err(StreamError::Fenced(reason)) => {
                tracing::info!(requests = config.requests, "answers dropped: {reason}");
                desk.clear();
                worker.rewind().await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Joins the group of the requests topic, where both topics are there.
async fn join(around: &Around) -> Result<Box<dyn Worker>, Problem> {
    let (config, services) = (&around.config, around.catalog.services());
    for topic in [&config.requests, &config.results] {
        if !services.topics.contain(&services.streams, topic).await? {
            return Err(StreamError::UnknownTopic(topic.clone()).into());
        }
    }
    let membership = Membership {
        group: tools_group_of(&config.requests),
        topics: vec![config.requests.clone()],
        state: None,
        batch_records_max: BATCH_RECORDS_MAX,
        batch_bytes_max: BATCH_BYTES_MAX,
    };
    Ok(services.streams.join(membership).await?)
}

/// What one transaction commits.
#[derive(Default)]
struct Round {
    work: Work,
    /// The last offset of each partition.
    ends: Vec<(Place, u64)>,
    answers: u64,
    dead_letters: u64,
}

impl Round {
    /// The work of at most `max` records that are done; none where there are none.
    fn of(around: &Around, desk: &mut Desk, max: usize) -> Option<Self> {
        let size_max = around.catalog.services().streams.record_bytes_max();
        let by = format!("client:{}", around.config.client);
        let mut round = Self::default();
        let mut left = max;
        for (place, window) in desk.windows().iter() {
            let mut last = None;
            for (offset, job, outcome) in window.prefix().take(left) {
                match outcome {
                    Outcome::Answered(output) => {
                        round.work.outputs.push(Output::clone(output));
                        round.answers += 1;
                    }
                    Outcome::SetAside(problem) => {
                        tracing::warn!(
                            topic = place.0,
                            partition = place.1,
                            offset,
                            code = problem.code,
                            "a request is set aside: {}",
                            problem.message
                        );
                        let reason = Reason { problem: problem.clone(), stack: None, attempts: 1 };
                        round.work.outputs.push(letter(&job.record, &by, &reason, size_max));
                        round.dead_letters += 1;
                    }
                }
                left -= 1;
                last = Some(offset);
            }
            if let Some(last) = last {
                round.work.offsets.push((place.0.clone(), place.1, last + 1));
                round.ends.push((place.clone(), last));
            }
        }
        (!round.ends.is_empty()).then_some(round)
    }
}
