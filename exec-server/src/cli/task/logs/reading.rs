//! Reading output: in one answer, page by page, or as it comes.

use std::time::Duration;

use exec_protocol::task::{Logs, LogsParams, LogsResult, Range, RangeUnit};
use tokio::io::AsyncWrite;
use tokio::time::{Instant, sleep};

use super::super::context::Context;
use super::super::wait::CALL_WAIT;
use super::paging::{is_at_end, rest};
use super::writer::{Writer, conclude};
use crate::cli::Failure;
use crate::clock::milliseconds;

/// The most that a server tells in one answer, in bytes.
const PAGE_BYTES: u64 = 4 << 20;

/// How long output is let gather before it is asked for again: who writes byte by byte is not followed byte by byte.
const GATHER: Duration = Duration::from_millis(50);

/// A server that answers a long poll at once, and with nothing, is not asked again before this is over.
const LEAST_ROUND: Duration = Duration::from_millis(200);

/// Prints one answer, and all that it leaves out.
pub(super) async fn select(
    context: &Context,
    mut params: LogsParams,
    writer: &mut Writer<impl AsyncWrite + Unpin>,
) -> Result<(), Failure> {
    params.max_bytes.get_or_insert(PAGE_BYTES);
    let answer = context.call::<Logs>(&params).await?;
    writer.write(&answer, None).await?;
    Ok(())
}

/// Prints all that there is now, page by page.
pub(super) async fn read_all(
    context: &Context,
    mut params: LogsParams,
    writer: &mut Writer<impl AsyncWrite + Unpin>,
) -> Result<(), Failure> {
    params.max_bytes = Some(PAGE_BYTES);
    let mut asked = params.range.unwrap_or(BEGINNING);
    loop {
        params.range = Some(asked);
        let answer = context.call::<Logs>(&params).await?;
        let rest = rest(asked, &answer);
        writer.write(&answer, rest.map(|rest| rest.from)).await?;
        pin(&mut params, &answer);
        let Some(rest) = rest else {
            conclude(&answer);
            return Ok(());
        };
        asked = rest;
    }
}

/// Prints what there is and what comes, until the attempt has ended.
pub(super) async fn follow(
    context: &Context,
    mut params: LogsParams,
    writer: &mut Writer<impl AsyncWrite + Unpin>,
) -> Result<(), Failure> {
    params.max_bytes = Some(PAGE_BYTES);
    let begins_elsewhere =
        params.tail.is_some() || params.range.is_some_and(|range| range.unit == RangeUnit::Line);
    let mut from = params.range.map_or(0, |range| range.from);
    if begins_elsewhere {
        let answer = context.call::<Logs>(&params).await?;
        writer.write(&answer, Some(answer.next_offset)).await?;
        pin(&mut params, &answer);
        from = answer.next_offset;
        params.tail = None;
    }
    params.follow = true;
    params.wait_ms = milliseconds(CALL_WAIT);
    loop {
        params.range = Some(Range { from, ..BEGINNING });
        let asked_at = Instant::now();
        let answer = context.call::<Logs>(&params).await?;
        writer.write(&answer, Some(answer.next_offset)).await?;
        pin(&mut params, &answer);
        let is_still = answer.next_offset <= from;
        if answer.state.is_ended() && (is_still || is_at_end(&answer)) {
            conclude(&answer);
            return Ok(());
        }
        if is_still {
            sleep(LEAST_ROUND.saturating_sub(asked_at.elapsed())).await;
        } else if is_at_end(&answer) {
            sleep(GATHER).await;
        }
        from = from.max(answer.next_offset);
    }
}

/// All of it.
const BEGINNING: Range = Range {
    unit: RangeUnit::Offset,
    from: 0,
    to: None,
};

/// From now on it is this task and this attempt, whichever come.
fn pin(params: &mut LogsParams, answer: &LogsResult) {
    params.task_id = answer.task_id.clone().into();
    if answer.attempt > 0 {
        params.attempt = Some(answer.attempt);
    }
}

#[cfg(test)]
mod tests {
    use exec_protocol::task::{LogPart, TaskState};
    use serde_json::{Value, json};

    use super::super::paging::tests::answer;
    use super::super::tests::parsed;
    use super::*;
    use crate::cli::task::sample::Script;

    /// An answer with the output from this offset on, of which there is so much now.
    fn output(from_offset: u64, text: &str, end_offset: u64, state: TaskState) -> Value {
        let to_offset = from_offset + text.len() as u64;
        let mut answer = answer(to_offset, end_offset);
        answer.state = state;
        answer.parts = vec![LogPart {
            from_offset,
            to_offset,
            from_line: 0,
            text: Some(text.to_owned()),
            data_base64: None,
            matching_lines: Vec::new(),
        }];
        serde_json::to_value(answer).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_is_read_to_where_it_ended_at_first() {
        let mut script = Script::new([
            output(0, "one ", 8, TaskState::Running),
            output(4, "two ", 900, TaskState::Running),
        ]);
        let mut written = Vec::new();
        let context = script.context().await;
        read_all(&context, parsed("a").unwrap(), &mut Writer::new(&mut written))
            .await
            .unwrap();
        assert_eq!(written, b"one two ");
        let ranges = script.asked("range");
        assert_eq!(
            ranges,
            [
                json!({"unit": "offset", "from": 0}),
                json!({"unit": "offset", "from": 4, "to": 8})
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_follower_reads_to_the_end_of_the_attempt() {
        let mut script = Script::new([
            output(96, "tail ", 101, TaskState::Running),
            output(101, "more ", 106, TaskState::Running),
            output(106, "", 106, TaskState::Running),
            output(106, "and ", 110, TaskState::Completed),
        ]);
        let mut written = Vec::new();
        let context = script.context().await;
        follow(
            &context,
            parsed("a -f -n 1").unwrap(),
            &mut Writer::new(&mut written),
        )
        .await
        .unwrap();
        assert_eq!(written, b"tail more and ");
        assert_eq!(
            script.asked("tail"),
            [json!(1), Value::Null, Value::Null, Value::Null]
        );
        assert_eq!(
            script.asked("attempt"),
            [Value::Null, json!(1), json!(1), json!(1)]
        );
        let from = |from| json!({"unit": "offset", "from": from});
        assert_eq!(
            script.asked("range"),
            [Value::Null, from(101), from(106), from(106)]
        );
        assert_eq!(
            script.asked("follow"),
            [json!(false), json!(true), json!(true), json!(true)]
        );
    }
}
