//! The queue of questions for keys that had no issuers before, which any client can make up.
//!
//! Clients take turns, so that a flood of one client delays no other. If the queue is full, the client with the
//! most questions in it loses its newest one. A client is an address, as far as the server knows it.
use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// How many questions wait at once. A request waits for each of them.
const MAX_WAITING: usize = 1024;

/// The client of a request: its address, or none for all clients of which no address is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Client(Option<IpAddr>);

impl Client {
    /// Returns the client at an address. A provider gives a client all addresses of an IPv6 network of 64 bits.
    pub(crate) fn at(address: Option<IpAddr>) -> Self {
        Self(address.map(|address| match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
            address @ IpAddr::V4(_) => address,
        }))
    }
}

#[derive(Debug)]
pub(super) struct FairQueue {
    state: Mutex<State>,
    max_calls: usize,
    /// How many calls one client may have at once, so that calls that hang leave room for others.
    max_calls_of_client: usize,
}

#[derive(Debug, Default)]
struct State {
    calls: usize,
    clients: HashMap<Client, Line>,
    /// The clients with waiting questions, the next one first.
    turns: VecDeque<Client>,
    waiting: HashMap<u64, Waiting>,
    /// The number of entries in all lines.
    entries: usize,
}

/// The questions of one client.
#[derive(Debug, Default)]
struct Line {
    calls: usize,
    /// The oldest first. A question that another client has, too, may have had its turn already.
    waiting: VecDeque<u64>,
}

/// A question that waits in the lines of one client or more.
#[derive(Debug)]
struct Waiting {
    turn: oneshot::Sender<Permit>,
    lines: usize,
}

/// A question in the queue. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Place {
    queue: Arc<FairQueue>,
    question: u64,
    turn: oneshot::Receiver<Permit>,
}

/// The right to call the resolver.
#[derive(Debug)]
pub(super) struct Permit {
    queue: Arc<FairQueue>,
    client: Client,
}

impl FairQueue {
    pub(super) fn new(max_calls: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            max_calls,
            max_calls_of_client: max_calls.div_ceil(2),
        })
    }

    /// Adds a question, whose number is unique, of a client; or returns `None` if the client has too many in a full queue.
    pub(super) fn enter(self: &Arc<Self>, question: u64, client: Client) -> Option<Place> {
        let (sender, turn) = oneshot::channel();
        let mut state = self.lock();
        if !state.add(question, client) {
            return None;
        }
        state.waiting.insert(question, Waiting { turn: sender, lines: 1 });
        self.give_turns(state);
        Some(Place { queue: Arc::clone(self), question, turn })
    }

    /// Adds a question that another client has asked first, so that it does not wait for that client's turn.
    pub(super) fn join(self: &Arc<Self>, question: u64, client: Client) {
        let mut state = self.lock();
        let is_there = |line: &Line| line.waiting.contains(&question);
        if !state.waiting.contains_key(&question)
            || state.clients.get(&client).is_some_and(is_there)
            || !state.add(question, client)
        {
            return;
        }
        if let Some(waiting) = state.waiting.get_mut(&question) {
            waiting.lines += 1;
        }
        self.give_turns(state);
    }

    /// Calls as many questions as may run.
    fn give_turns(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let mut permits = Vec::new();
        while state.calls < self.max_calls
            && let Some((client, turn)) = state.next(self.max_calls_of_client)
        {
            permits.push((turn, Permit { queue: Arc::clone(self), client }));
        }
        drop(state);
        // Without the lock, because a permit that nothing waits for is dropped here, and makes room.
        for (turn, permit) in permits {
            let _ = turn.send(permit);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Adds a question to the line of a client, unless it is full and no other client has a longer one.
    fn add(&mut self, question: u64, client: Client) -> bool {
        if self.entries >= MAX_WAITING {
            self.remove_ended();
        }
        if self.entries >= MAX_WAITING && !self.shorten_the_longest(client) {
            return false;
        }
        let line = self.clients.entry(client).or_default();
        if line.waiting.is_empty() {
            self.turns.push_back(client);
        }
        line.waiting.push_back(question);
        self.entries += 1;
        true
    }

    /// Removes the newest question of the longest line. Returns whether it is longer than that of this client.
    fn shorten_the_longest(&mut self, than: Client) -> bool {
        let own = self.clients.get(&than).map_or(0, |line| line.waiting.len());
        let lines = self.clients.iter().map(|(client, line)| (line.waiting.len(), *client));
        let Some((_, longest)) =
            lines.max_by_key(|(len, _)| *len).filter(|(len, _)| *len > own + 1)
        else {
            return false;
        };
        let Some(question) =
            self.clients.get_mut(&longest).and_then(|line| line.waiting.pop_back())
        else {
            return false;
        };
        self.entries -= 1;
        if let Some(waiting) = self.waiting.get_mut(&question) {
            waiting.lines -= 1;
            if waiting.lines == 0 {
                self.waiting.remove(&question); // which ends its wait
            }
        }
        true
    }

    /// Removes entries of questions that had their turn in another line, or do not wait any more.
    fn remove_ended(&mut self) {
        let waiting = &self.waiting;
        for line in self.clients.values_mut() {
            line.waiting.retain(|question| waiting.contains_key(question));
        }
        self.entries = self.clients.values().map(|line| line.waiting.len()).sum();
        let clients = &self.clients;
        self.turns
            .retain(|client| clients.get(client).is_some_and(|line| !line.waiting.is_empty()));
        self.clients.retain(|_, line| !line.is_unused());
    }

    /// Takes the oldest question of the client whose turn it is, and counts its call.
    fn next(&mut self, max_calls_of_client: usize) -> Option<(Client, oneshot::Sender<Permit>)> {
        for _ in 0..self.turns.len() {
            let client = self.turns.pop_front()?;
            let Some(line) = self.clients.get_mut(&client) else { continue };
            if line.calls >= max_calls_of_client {
                self.turns.push_back(client);
                continue;
            }
            let mut found = None;
            while found.is_none()
                && let Some(question) = line.waiting.pop_front()
            {
                self.entries -= 1;
                found = self.waiting.remove(&question);
            }
            if !line.waiting.is_empty() {
                self.turns.push_back(client);
            }
            if let Some(waiting) = found {
                line.calls += 1;
                self.calls += 1;
                return Some((client, waiting.turn));
            }
            if line.is_unused() {
                self.clients.remove(&client);
            }
        }
        None
    }
}

impl Line {
    fn is_unused(&self) -> bool {
        self.calls == 0 && self.waiting.is_empty()
    }
}

impl Place {
    /// Waits until the resolver may be called; `None` if the question lost its place to another client.
    pub(super) async fn turn(&mut self) -> Option<Permit> {
        (&mut self.turn).await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Its entries in the lines are skipped.
        self.queue.lock().waiting.remove(&self.question);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.calls -= 1;
        if let Some(line) = state.clients.get_mut(&self.client) {
            line.calls -= 1;
            if line.is_unused() {
                state.clients.remove(&self.client);
            }
        }
        self.queue.give_turns(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    fn client(number: u8) -> Client {
        Client::at(Some([192, 0, 2, number].into()))
    }

    /// Returns the permit of a place, if its turn has come; `Err` if it lost its place.
    fn permit(place: &mut Place) -> Result<Option<Permit>, ()> {
        let turn = std::pin::pin!(place.turn());
        match turn.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(permit)) => Ok(Some(permit)),
            Poll::Ready(None) => Err(()),
            Poll::Pending => Ok(None),
        }
    }

    fn is_empty(queue: &FairQueue) -> bool {
        let mut state = queue.lock();
        state.remove_ended();
        state.calls + state.entries + state.clients.len() + state.turns.len() + state.waiting.len()
            == 0
    }

    #[test]
    fn one_client_has_half_of_the_calls() {
        let queue = FairQueue::new(8);
        let mut places: Vec<_> = (0..8).map(|n| queue.enter(n, client(1)).unwrap()).collect();
        let (first, rest) = places.split_at_mut(4);
        let permits: Vec<_> = first.iter_mut().filter_map(|p| permit(p).unwrap()).collect();
        assert_eq!(permits.len(), 4);
        assert!(rest.iter_mut().all(|place| permit(place).unwrap().is_none()));
        let mut other = queue.enter(8, client(2)).unwrap();
        assert!(permit(&mut other).unwrap().is_some());
        drop(permits);
        let permits: Vec<_> = rest.iter_mut().filter_map(|p| permit(p).unwrap()).collect();
        assert_eq!(permits.len(), 4);
        drop((permits, places, other));
        assert!(is_empty(&queue));
    }

    #[test]
    fn clients_take_turns() {
        let queue = FairQueue::new(1);
        let mut first = queue.enter(0, client(0)).unwrap();
        let mut running = permit(&mut first).unwrap();
        let mut flood: Vec<_> = (1..100).map(|n| queue.enter(n, client(1)).unwrap()).collect();
        let mut other = queue.enter(100, client(2)).unwrap();
        let mut turns = 0;
        while permit(&mut other).unwrap().is_none() {
            drop(running.take());
            running = permit(&mut flood[turns]).unwrap();
            turns += 1;
        }
        assert!(turns <= 2, "{turns}");
    }

    #[test]
    fn a_full_queue_takes_from_the_client_that_has_most() {
        let queue = FairQueue::new(1);
        let mut first = queue.enter(0, client(0)).unwrap();
        let _running = permit(&mut first).unwrap();
        let full = MAX_WAITING as u64;
        let mut flood: Vec<_> = (1..=full).map(|n| queue.enter(n, client(1)).unwrap()).collect();
        assert!(queue.enter(full + 1, client(1)).is_none());
        let mut other = queue.enter(full + 2, client(2)).unwrap();
        assert_eq!(permit(flood.last_mut().unwrap()).err(), Some(()), "the newest of the flood");
        assert!(permit(&mut flood[0]).unwrap().is_none());
        assert!(permit(&mut other).unwrap().is_none());
        // What does not wait any more makes room.
        drop(flood.pop());
        drop(flood.pop());
        assert!(queue.enter(full + 3, client(1)).is_some());
    }

    /// A client that asks for the key of another one does not delay it.
    #[test]
    fn a_question_of_two_clients_has_the_earlier_turn() {
        let queue = FairQueue::new(1);
        let mut first = queue.enter(0, client(0)).unwrap();
        let running = permit(&mut first).unwrap();
        let mut flood: Vec<_> = (1..100).map(|n| queue.enter(n, client(1)).unwrap()).collect();
        let mut shared = queue.enter(100, client(1)).unwrap();
        queue.join(100, client(2));
        queue.join(100, client(2));
        drop(running);
        let of_the_flood = permit(&mut flood[0]).unwrap();
        assert!(of_the_flood.is_some());
        drop(of_the_flood);
        let turn = permit(&mut shared).unwrap();
        assert!(turn.is_some_and(|permit| permit.client == client(2)));
        drop((flood, shared));
        assert!(is_empty(&queue));
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let client = |text: &str| Client::at(Some(text.parse().unwrap()));
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:1"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
    }
}
