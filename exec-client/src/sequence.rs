//! Puts what a connection says about one process in order. Pure: no clock, no tasks, no I/O.

use std::collections::VecDeque;

use exec_protocol::Seq;
use exec_protocol::process::ReadResult;

use crate::catch_up::CatchUp;
use crate::event::{Event, Notice, What};
use crate::position::Position;
use crate::routes::{Arrival, QUEUE_EVENTS};

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Hand this on.
    Deliver(Event),
    /// Read what follows `after`, without waiting, and [`page`](Sequence::page) it.
    Read { after: Seq },
    /// Nothing, until something arrives.
    Wait,
    /// Everything was delivered.
    Ended,
}

/// The events of one process, in order.
#[derive(Debug)]
pub(crate) struct Sequence {
    /// What arrived and has no place yet.
    inbox: VecDeque<Arrival>,
    /// What has its place, up to `position`.
    ready: VecDeque<Event>,
    position: Position,
    exited: bool,
    ended: bool,
    asked: Option<Asked>,
    /// What was read and has no place yet.
    catch_up: Option<CatchUp>,
}

/// Why a page was asked for. Its answer is about nothing younger.
#[derive(Debug)]
enum Asked {
    /// Events before this one are missing.
    Before(Seq),
    /// Events that nobody will tell may have happened.
    Resumed,
    /// A page could not be understood without the next.
    NextPage,
}

impl Sequence {
    pub(crate) fn new() -> Self {
        Self {
            inbox: VecDeque::new(),
            ready: VecDeque::new(),
            position: Position::START,
            exited: false,
            ended: false,
            asked: None,
            catch_up: None,
        }
    }

    pub(crate) fn step(&mut self) -> Step {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Step::Deliver(event);
            }
            if self.ended {
                return Step::Ended;
            }
            if self.asked.is_some() {
                return self.read();
            }
            if self.catch_up.is_some() {
                return self.ask(Asked::NextPage);
            }
            match self.inbox.front() {
                None => return Step::Wait,
                Some(Arrival::Notice(notice)) if notice.seq > self.position.next() => {
                    let seq = notice.seq;
                    return self.ask(Asked::Before(seq));
                }
                Some(Arrival::Resumed) if !self.is_told_on() => return self.ask(Asked::Resumed),
                Some(Arrival::Notice(_) | Arrival::Resumed) => self.place_front(),
            }
        }
    }

    /// Something has come.
    ///
    /// While an answer is awaited, more may come than is worth keeping. The oldest give way: they
    /// show as a hole before the next, and are read again.
    pub(crate) fn tell(&mut self, arrival: Arrival) {
        if self.inbox.len() == QUEUE_EVENTS {
            self.inbox.pop_front();
        }
        self.inbox.push_back(arrival);
    }

    /// The answer to [`Step::Read`].
    pub(crate) fn page(&mut self, page: ReadResult) {
        let catch_up = self
            .catch_up
            .get_or_insert_with(|| CatchUp::new(self.position, self.exited));
        let is_news = page.next_seq > catch_up.cursor().next();
        if let Some(events) = catch_up.page(page) {
            self.position = catch_up.position();
            self.catch_up = None;
            self.exited |= events.iter().any(|event| matches!(event, Event::Exited { .. }));
            self.ended |= events.iter().any(|event| matches!(event, Event::Closed { .. }));
            self.ready.extend(events);
        }
        match self.asked.take() {
            Some(Asked::Before(told)) if !is_news => self.give_up_before(told),
            Some(Asked::Resumed) if !is_news => {
                self.inbox
                    .pop_front_if(|arrival| matches!(arrival, Arrival::Resumed));
            }
            // There may be more; the next step finds out.
            Some(Asked::Before(_) | Asked::Resumed | Asked::NextPage) | None => {}
        }
    }

    /// Nothing more can be learned. What has its place is still delivered.
    pub(crate) fn end(&mut self) {
        while let Some(Arrival::Notice(notice)) = self.inbox.front()
            && notice.seq <= self.position.next()
        {
            self.place_front();
        }
        if !self.ended {
            self.ready.push_back(Event::Disconnected);
            self.ended = true;
        }
    }

    fn ask(&mut self, why: Asked) -> Step {
        self.asked = Some(why);
        self.read()
    }

    fn read(&self) -> Step {
        Step::Read {
            after: self
                .catch_up
                .as_ref()
                .map_or(self.position.seq(), CatchUp::cursor),
        }
    }

    /// Whether the notifications of a resumed connection go on where we are, so that there is
    /// nothing to read.
    fn is_told_on(&self) -> bool {
        matches!(self.inbox.get(1), Some(Arrival::Notice(notice)) if notice.seq <= self.position.next())
    }

    fn place_front(&mut self) {
        if let Some(Arrival::Notice(notice)) = self.inbox.pop_front() {
            self.place(notice);
        }
    }

    fn place(&mut self, notice: Notice) {
        let Notice { seq, what } = notice;
        let last = match &what {
            What::Gap(gap) => gap.to_seq,
            What::Output { .. } | What::Exited { .. } | What::Closed { .. } => seq,
        };
        // A repetition, or nothing may follow.
        if last <= self.position.seq() || self.ended {
            return;
        }
        match what {
            What::Output { stream, bytes } => {
                self.position.pass_output(seq, None, bytes.len());
                self.ready.push_back(Event::Output { seq, stream, bytes });
            }
            What::Exited { exit_code, details } => {
                self.position.pass_mark(seq);
                // Known already if its number was lost in a gap.
                if !self.exited {
                    self.exited = true;
                    self.ready.push_back(Event::Exited {
                        seq,
                        exit_code,
                        details,
                    });
                }
            }
            What::Closed { details } => {
                self.position.pass_mark(seq);
                self.ended = true;
                self.ready.push_back(Event::Closed { seq, details });
            }
            What::Gap(gap) => {
                let from_seq = self.position.next();
                let bytes = self.position.pass_gap(&gap);
                self.ready.push_back(Event::Gap {
                    from_seq,
                    to_seq: gap.to_seq,
                    bytes,
                });
            }
        }
    }

    /// The server told of an event and has nothing of what came before it: that is lost.
    fn give_up_before(&mut self, told: Seq) {
        let (from_seq, to_seq) = (self.position.next(), Seq(told.0 - 1));
        if from_seq <= to_seq {
            self.ready.push_back(Event::Gap {
                from_seq,
                to_seq,
                bytes: None,
            });
            self.position.pass_unknown(to_seq);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;
    use exec_protocol::process::Gap;
    use proptest::prelude::*;

    /// What the connection does next.
    #[derive(Debug, Clone, Copy)]
    enum Next {
        Told,
        /// Happened while there was no connection.
        Missed,
        Repeated,
        /// Happened, and its notification is still under way when the read is answered.
        Late,
    }

    fn next() -> impl Strategy<Value = Next> {
        prop_oneof![
            4 => Just(Next::Told),
            2 => Just(Next::Missed),
            1 => Just(Next::Repeated),
            1 => Just(Next::Late),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        /// However the connection breaks, every event is delivered once and in order, as long as
        /// the server keeps it.
        #[test]
        fn nothing_is_lost_or_repeated(
            model in Model::any().prop_map(Model::keeping_all),
            nexts in prop::collection::vec(next(), 1..40),
            pages in prop::collection::vec(1..40_usize, 1..40),
        ) {
            let events = delivered(&model, &nexts, &pages);
            prop_assert_eq!(events, model.events_after(0));
        }

        /// What the server dropped, and told as dropped or did not tell while the connection was
        /// broken, is lost once; and nothing else is.
        #[test]
        fn what_is_told_as_lost_is_lost_once(
            model in Model::telling_gaps(),
            nexts in prop::collection::vec(next(), 1..40),
            pages in prop::collection::vec(1..40_usize, 1..40),
        ) {
            model.assert_told_by(&delivered(&model, &nexts, &pages));
        }
    }

    /// What comes of everything that happened.
    fn delivered(model: &Model, nexts: &[Next], pages: &[usize]) -> Vec<Event> {
        let mut sequence = Sequence::new();
        let (mut nexts, mut pages) = (nexts.iter().cycle(), pages.iter().cycle());
        let (mut published, mut events, mut late) = (0, Vec::new(), Vec::new());
        loop {
            match sequence.step() {
                Step::Deliver(event) => events.push(event),
                Step::Ended => return events,
                Step::Read { after } => {
                    let page = model.read(after.0, published, *pages.next().unwrap());
                    sequence.page(page);
                }
                Step::Wait if published == model.len() && late.is_empty() => return events,
                Step::Wait => {
                    for notice in late.drain(..) {
                        sequence.tell(Arrival::Notice(notice));
                    }
                }
            }
            if published < model.len() && late.is_empty() {
                published += 1;
                match nexts.next().unwrap() {
                    Next::Told => sequence.tell(Arrival::Notice(model.notice(published))),
                    Next::Missed => sequence.tell(Arrival::Resumed),
                    Next::Repeated => {
                        sequence.tell(Arrival::Notice(model.notice(published)));
                        sequence.tell(Arrival::Notice(model.notice(published)));
                    }
                    Next::Late => late.push(model.notice(published)),
                }
            }
        }
    }

    fn output(seq: u64) -> Arrival {
        let what = What::Output {
            stream: exec_protocol::process::Stream::Stdout,
            bytes: "x".into(),
        };
        Arrival::Notice(Notice { seq: Seq(seq), what })
    }

    #[test]
    fn a_hole_that_cannot_be_read_is_a_gap() {
        let mut sequence = Sequence::new();
        sequence.tell(output(4));
        assert_eq!(sequence.step(), Step::Read { after: Seq(0) });
        sequence.page(ReadResult {
            chunks: Vec::new(),
            next_seq: Seq(1),
            exited: false,
            exit_code: None,
            closed: false,
            ..ReadResult::default()
        });
        assert_eq!(
            sequence.step(),
            Step::Deliver(Event::Gap {
                from_seq: Seq(1),
                to_seq: Seq(3),
                bytes: None,
            })
        );
        assert!(matches!(
            sequence.step(),
            Step::Deliver(Event::Output { seq: Seq(4), .. })
        ));
        assert_eq!(sequence.step(), Step::Wait);
    }

    fn gap(from_seq: u64, to_seq: u64) -> Arrival {
        let gap = Gap::new(Seq(from_seq), Seq(to_seq), from_seq * 10, to_seq * 10 + 10);
        Arrival::Notice(Notice {
            seq: gap.from_seq,
            what: What::Gap(gap),
        })
    }

    #[test]
    fn what_is_told_as_lost_is_not_read() {
        let mut sequence = Sequence::new();
        sequence.tell(gap(1, 3));
        let lost = Event::Gap {
            from_seq: Seq(1),
            to_seq: Seq(3),
            bytes: Some(30),
        };
        assert_eq!(sequence.step(), Step::Deliver(lost));
        // Told already, and once more with what follows.
        sequence.tell(gap(2, 3));
        sequence.tell(gap(3, 5));
        let lost = Event::Gap {
            from_seq: Seq(4),
            to_seq: Seq(5),
            bytes: Some(20),
        };
        assert_eq!(sequence.step(), Step::Deliver(lost));
        assert_eq!(sequence.step(), Step::Wait);
        // What lies before a gap may be kept.
        sequence.tell(gap(8, 9));
        assert_eq!(sequence.step(), Step::Read { after: Seq(5) });
    }

    #[test]
    fn what_is_too_much_to_keep_is_read_again() {
        let mut sequence = Sequence::new();
        for seq in 1..=QUEUE_EVENTS as u64 + 1 {
            sequence.tell(output(seq));
        }
        assert_eq!(sequence.step(), Step::Read { after: Seq(0) });
    }

    #[test]
    fn the_end_comes_behind_what_is_in_order() {
        let mut sequence = Sequence::new();
        for seq in [1, 3] {
            sequence.tell(output(seq));
        }
        sequence.end();
        assert!(matches!(
            sequence.step(),
            Step::Deliver(Event::Output { seq: Seq(1), .. })
        ));
        assert_eq!(sequence.step(), Step::Deliver(Event::Disconnected));
        assert_eq!(sequence.step(), Step::Ended);
    }
}
