//! The thread `auth0-fetch`, which runs all fetches: one for the process, with its own runtime, started with
//! the first fetch.
//!
//! A fetch serves every request that waits for it, so it must not depend on the runtime of one of them:
//! that runtime may be blocked by a handler, end with a test, have no timers, or not exist. The thread only
//! waits for I/O and timers, and does not keep a process from ending.
use super::{BoxFuture, Clock};
use std::{
    fmt,
    future::Future,
    io, mem,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, mpsc},
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
    task::{JoinError, JoinHandle},
};
use tracing::instrument::WithSubscriber;

/// How often the thread checks, during a fetch, whether the process was stopped.
pub const HEARTBEAT: Duration = Duration::from_millis(500);

/// A heartbeat that is this late means that the process did not run.
const FROZEN: Duration = Duration::from_secs(1);

/// How often work that failed while the process was stopped is started again. A thread that the work itself
/// blocks looks the same, and must not hold requests up without end.
pub const RESTARTS: usize = 2;

static THREAD: Mutex<Option<Running>> = Mutex::new(None);

struct Running {
    runtime: Handle,
    /// The id of the process that started it: a forked process has none of its parent's threads.
    process: u32,
}

/// The thread cannot be started.
#[derive(Clone, Copy, Debug)]
pub struct NoThread(io::ErrorKind);

impl fmt::Display for NoThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the thread auth0-fetch cannot be started: {}", self.0)
    }
}

/// Returns the runtime of the thread, and starts the thread if it does not run.
///
/// # Errors
/// The thread cannot be started.
pub fn runtime() -> Result<Handle, NoThread> {
    let mut thread = THREAD.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some(running) = thread.as_ref().filter(|running| running.process == process) {
        return Ok(running.runtime.clone());
    }
    let runtime = start().map_err(|error| NoThread(error.kind()))?;
    *thread = Some(Running { runtime: runtime.clone(), process });
    Ok(runtime)
}

fn start() -> io::Result<Handle> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let run = move || {
        let runtime = Builder::new_current_thread().thread_name("auth0-fetch").enable_all().build();
        match runtime {
            Ok(runtime) => {
                let _ = sender.send(Ok(runtime.handle().clone()));
                runtime.block_on(std::future::pending::<()>());
            }
            Err(error) => drop(sender.send(Err(error))),
        }
    };
    thread::Builder::new().name("auth0-fetch".into()).spawn(run)?;
    receiver.recv().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
}

/// Runs a future on the thread. What it logs goes to the subscriber of the caller.
///
/// # Errors
/// The thread cannot be started.
pub fn spawn<F>(future: F) -> Result<JoinHandle<F::Output>, NoThread>
where
    F: Future<Output: Send> + Send + 'static,
{
    Ok(runtime()?.spawn(future.with_current_subscriber()))
}

/// Returns a future that ends after this long, on the clock or in real time: a clock that stands still
/// delays no request. The future can be awaited on any runtime, and without one.
pub fn passed(clock: &dyn Clock, time: Duration) -> impl Future<Output = ()> + use<> {
    let timer = runtime().map(|runtime| {
        let sleep = {
            let _entered = runtime.enter();
            either(clock.sleep(time), time)
        };
        let (mut sender, receiver) = oneshot::channel::<()>();
        runtime.spawn(async move {
            tokio::select! {
                () = sleep => {}
                () = sender.closed() => {} // no one waits any more
            }
        });
        receiver
    });
    async move {
        if let Ok(timer) = timer {
            let _ = timer.await;
        }
    }
}

/// A future that ends at a moment: see [`reached`].
#[derive(Debug)]
pub struct Reached(oneshot::Receiver<()>);

impl Future for Reached {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(drop)
    }
}

/// A timer does not advance while the machine is suspended, and the wall clock may be corrected: after this long, the
/// clock is read again.
const LONGEST_TIMER: Duration = Duration::from_secs(30);

/// Returns a future that ends when the clock shows this time since 1970. The waiting task is woken once, and can
/// wait on any runtime, and without one.
///
/// # Errors
/// The thread cannot be started.
pub fn reached(clock: &Arc<dyn Clock>, moment: Duration) -> Result<Reached, NoThread> {
    let runtime = runtime()?;
    let (mut sender, receiver) = oneshot::channel();
    let clock = Arc::clone(clock);
    // Here, and not in the task: the caller may advance the clock of a test before the task runs.
    let mut timer = timer_until(&runtime, &*clock, moment);
    runtime.clone().spawn(async move {
        while let Some(sleep) = timer {
            tokio::select! {
                () = sleep => timer = timer_until(&runtime, &*clock, moment),
                () = sender.closed() => return,
            }
        }
        let _ = sender.send(());
    });
    Ok(Reached(receiver))
}

fn timer_until(runtime: &Handle, clock: &dyn Clock, moment: Duration) -> Option<Timer> {
    let _entered = runtime.enter();
    let left = || moment.checked_sub(clock.unix_time()).filter(|rest| !rest.is_zero());
    loop {
        let rest = left()?;
        let limit = rest.min(LONGEST_TIMER);
        let sleep = clock.sleep(limit);
        // Otherwise the clock was set forward before the timer began.
        if rest.saturating_sub(left()?) < CLOCK_STEP {
            return Some(Box::pin(either(sleep, limit)));
        }
    }
}

/// A difference between two readings that is not that of the time between them.
const CLOCK_STEP: Duration = Duration::from_secs(1);

type Timer = BoxFuture<'static, ()>;

fn either(
    on_clock: BoxFuture<'static, ()>,
    time: Duration,
) -> impl Future<Output = ()> + Send + use<> {
    let in_fact = tokio::time::sleep(time);
    async move {
        tokio::select! {
            () = on_clock => {}
            () = in_fact => {}
        }
    }
}

/// The end of work that had a time limit.
#[derive(Debug)]
pub struct Ended<T> {
    /// The way in which it ended.
    pub how: How<T>,
    /// Whether the process was stopped meanwhile, which may be the only reason for a failure.
    pub was_frozen: bool,
}

/// The way in which work ended.
#[derive(Debug)]
pub enum How<T> {
    /// With a result.
    Done(T),
    /// With a panic.
    Panicked,
    /// After its time limit.
    Late,
}

/// Runs work in a separate task on the thread. The work may hang and may panic. The limit is measured on the
/// clock and in real time; time in which the process was stopped does not count.
///
/// Must be called on the thread.
pub async fn within<T: Send + 'static>(
    clock: &dyn Clock,
    limit: Duration,
    work: impl Future<Output = T> + Send + 'static,
) -> Ended<T> {
    // Created before the work begins, because the work may advance the clock of a test.
    let mut limit = Limit::new(clock, limit);
    let mut task = Task(tokio::spawn(work.with_current_subscriber()));
    let how = tokio::select! {
        biased;
        joined = &mut task.0 => joined.map_or(How::Panicked, How::Done),
        () = limit.reached(clock) => How::Late,
    };
    let was_frozen = limit.was_frozen();
    if matches!(how, How::Late) {
        task.0.abort();
        let _ = (&mut task.0).await; // so that late work has ended when its caller goes on
    }
    Ended { how, was_frozen }
}

/// Returns a future that ends after this long, on the clock or in real time. Time in which the process was stopped does
/// not count. The future can be awaited on any runtime, and without one.
pub fn passed_while_running(
    clock: &Arc<dyn Clock>,
    time: Duration,
) -> impl Future<Output = ()> + use<> {
    let timer = runtime().map(|runtime| {
        let (mut sender, receiver) = oneshot::channel::<()>();
        let clock = Arc::clone(clock);
        let mut limit = {
            let _entered = runtime.enter();
            Limit::new(&*clock, time)
        };
        runtime.spawn(async move {
            tokio::select! {
                () = limit.reached(&*clock) => {}
                () = sender.closed() => {} // no one waits any more
            }
        });
        receiver
    });
    async move {
        if let Ok(timer) = timer {
            let _ = timer.await;
        }
    }
}

/// A time limit, for which time does not count in which the process was stopped.
struct Limit {
    time: Duration,
    deadline: BoxFuture<'static, ()>,
    ran_for: Duration,
    was_frozen: bool,
    beat: Instant,
}

impl Limit {
    fn new(clock: &dyn Clock, time: Duration) -> Self {
        let beat = Instant::now();
        let (deadline, ran_for) = (clock.sleep(time), Duration::ZERO);
        Self { time, deadline, ran_for, was_frozen: false, beat }
    }

    async fn reached(&mut self, clock: &dyn Clock) {
        loop {
            let is_over = tokio::select! {
                biased;
                () = tokio::time::sleep(HEARTBEAT) => false,
                () = &mut self.deadline => true,
            };
            if was_stopped(&mut self.beat) {
                // Also if it was stopped before this was polled for the first time.
                self.was_frozen = true;
                self.deadline = clock.sleep(self.time.saturating_sub(self.ran_for + HEARTBEAT));
            } else if is_over {
                return;
            }
            self.ran_for += HEARTBEAT;
            if self.ran_for >= self.time {
                return;
            }
        }
    }

    fn was_frozen(&mut self) -> bool {
        self.was_frozen |= was_stopped(&mut self.beat);
        self.was_frozen
    }
}

/// Returns whether the process was stopped since the last heartbeat, and takes this as the next one: nothing is between
/// them that neither sees.
pub fn was_stopped(beat: &mut Instant) -> bool {
    let last = mem::replace(beat, Instant::now());
    beat.saturating_duration_since(last) >= HEARTBEAT + FROZEN
}

/// A task that is aborted when its owner is dropped. As a future, it waits for the task's end.
#[derive(Debug)]
pub struct Task<T>(JoinHandle<T>);

impl<T> Task<T> {
    /// Takes the ownership of a task.
    #[must_use]
    pub const fn new(task: JoinHandle<T>) -> Self {
        Self(task)
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::SystemClock;
    use std::{future::poll_fn, pin::pin, task::Poll};

    /// A process that is stopped does not run either: here its only thread is blocked.
    #[tokio::test]
    async fn time_before_the_first_poll_does_not_count_if_the_process_was_stopped() {
        let clock = SystemClock::new();
        let mut limit = Limit::new(&clock, Duration::from_secs(1));
        std::thread::sleep(HEARTBEAT + FROZEN);
        tokio::task::yield_now().await; // the timers notice
        let is_over = {
            let mut reached = pin!(limit.reached(&clock));
            poll_fn(|context| Poll::Ready(reached.as_mut().poll(context).is_ready())).await
        };
        assert!(!is_over && limit.was_frozen());
    }
}
