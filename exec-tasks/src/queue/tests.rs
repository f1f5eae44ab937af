//! The queue against a list that is looked through.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Push {
        lane: u8,
        priority: i32,
        delay: Option<u64>,
    },
    Pop,
    Finish(usize),
    Remove(usize),
    Resize {
        lane: u8,
        max: u32,
    },
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0u8..3, -1i32..2, proptest::option::of(0u64..20)).prop_map(|(lane, priority, delay)| Step::Push {
            lane,
            priority,
            delay
        }),
        Just(Step::Pop),
        (0usize..8).prop_map(Step::Finish),
        (0usize..8).prop_map(Step::Remove),
        (0u8..3, 0u32..4).prop_map(|(lane, max)| Step::Resize { lane, max }),
        (0u64..10).prop_map(Step::Pass),
    ]
}

#[derive(Debug, Clone)]
struct Task {
    number: Number,
    lane: LaneName,
    priority: i32,
    at: Option<u64>,
}

#[derive(Debug, Default)]
struct Model {
    waiting: Vec<Task>,
    running: Vec<Task>,
    max: BTreeMap<LaneName, u32>,
}

impl Model {
    fn max(&self, lane: &LaneName) -> usize {
        self.max.get(lane).copied().unwrap_or(DEFAULT_PARALLEL) as usize
    }

    /// Those that may run now, in the order of a lane.
    fn ready(&self, now: u64) -> Vec<Task> {
        let mut ready: Vec<_> = self
            .waiting
            .iter()
            .filter(|task| task.at.is_none_or(|at| at <= now))
            .filter(|task| {
                let running = self.running.iter().filter(|other| other.lane == task.lane);
                running.count() < self.max(&task.lane)
            })
            .cloned()
            .collect();
        ready.sort_by_key(|task| (task.lane.clone(), Reverse(task.priority), task.number));
        ready
    }
}

fn lane(number: u8) -> LaneName {
    LaneName::new(&format!("lane {number}")).unwrap()
}

proptest! {
    #[test]
    fn turns_are_taken_as_in_a_list(steps in proptest::collection::vec(step(), 0..80)) {
        let (mut queue, mut model, mut now, mut next) = (Queue::default(), Model::default(), 0, 0);
        for step in steps {
            match step {
                Step::Push { lane: at, priority, delay } => {
                    next += 1;
                    let task = Task { number: next, lane: lane(at), priority, at: delay.map(|delay| now + delay) };
                    queue.push(task.number, &task.lane, priority, task.at);
                    model.waiting.push(task);
                }
                Step::Pop => {
                    let expected = model.ready(now).first().cloned();
                    prop_assert_eq!(queue.pop(now), expected.as_ref().map(|task| task.number));
                    if let Some(task) = expected {
                        model.waiting.retain(|other| other.number != task.number);
                        model.running.push(task);
                    }
                }
                Step::Finish(at) => {
                    if at < model.running.len() {
                        let task = model.running.remove(at);
                        queue.finish(task.number, &task.lane);
                    }
                }
                Step::Remove(at) => {
                    if at < model.waiting.len() {
                        let task = model.waiting.remove(at);
                        prop_assert!(queue.remove(task.number));
                        prop_assert!(!queue.remove(task.number));
                    }
                }
                Step::Resize { lane: at, max } => {
                    queue.set_lane(&lane(at), max);
                    model.max.insert(lane(at), max);
                }
                Step::Pass(time) => now += time,
            }
            prop_assert_eq!(queue.load(), (model.running.len(), model.waiting.len()));
            for at in queue.lanes() {
                let running = model.running.iter().filter(|task| task.lane == at.lane).count();
                prop_assert_eq!(at.running, running as u64);
                let mut positions: Vec<_> = model
                    .waiting
                    .iter()
                    .filter(|task| task.lane == at.lane)
                    .map(|task| queue.position(task.number).unwrap())
                    .collect();
                positions.sort_unstable();
                prop_assert_eq!(positions, (1..=at.queued).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn a_lane_that_nobody_made_goes_with_its_last_task() {
    let mut queue = Queue::default();
    queue.push(1, &lane(1), 0, None);
    assert_eq!(queue.pop(0), Some(1));
    assert_eq!(queue.lanes().len(), 1);
    queue.finish(1, &lane(1));
    assert_eq!(queue.lanes(), []);
    queue.set_lane(&lane(2), 1);
    queue.push(2, &lane(2), 0, None);
    assert!(queue.remove(2));
    assert_eq!(queue.lanes().len(), 1);
}

#[test]
fn one_whose_time_has_not_come_stands_behind_those_that_may_run() {
    let mut queue = Queue::default();
    let lane = LaneName::default();
    queue.set_lane(&lane, 0);
    queue.push(1, &lane, 5, Some(100));
    queue.push(2, &lane, 0, None);
    queue.push(3, &lane, 1, None);
    assert_eq!(
        [1, 2, 3].map(|task| queue.position(task)),
        [Some(3), Some(2), Some(1)]
    );
    assert_eq!(queue.next_time(), Some(100));
    queue.set_lane(&lane, 1);
    assert_eq!(queue.pop(100), Some(1));
    assert_eq!(queue.next_time(), None);
}
