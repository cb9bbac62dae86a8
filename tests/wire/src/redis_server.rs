//! A Redis server that a test starts, and may kill, suspend and restart.
use redis::{Client, ConnectionInfo, FromRedisValue, IntoConnectionInfo};
use std::{
    env, fs,
    net::TcpListener,
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

/// A `redis-server` on a loopback port that nothing else uses. It ends when this is dropped.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    /// Further arguments.
    arguments: Vec<String>,
    directory: PathBuf,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts a server. Returns none, and prints why, where `redis-server` is not installed.
    pub fn start() -> Option<Self> {
        let mut server = Self::stopped()?;
        server.restart();
        Some(server)
    }

    /// Prepares a server that does not run yet.
    pub fn stopped() -> Option<Self> {
        if let Err(error) = Command::new("redis-server").arg("--version").output() {
            println!("skipped: redis-server cannot be started ({error})");
            return None;
        }
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = env::temp_dir().join(format!("auth0-redis-{}-{number}", process::id()));
        fs::create_dir_all(&directory).unwrap();
        Some(Self { port: free_port(), arguments: Vec::new(), directory, child: None })
    }

    /// Adds an argument, for the next start.
    pub fn with(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Returns the folder of its files.
    pub fn directory(&self) -> &PathBuf {
        &self.directory
    }

    /// Returns its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Starts it on its port, and returns when it answers.
    pub fn restart(&mut self) {
        self.spawn();
        for _ in 0..500 {
            if self.connection().is_some() {
                return;
            }
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "redis-server ended: {ended:?}");
            thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not answer");
    }

    fn spawn(&mut self) {
        self.kill();
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.arg("--dir").arg(&self.directory).args(&self.arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        self.child = Some(command.spawn().unwrap());
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Suspends it: it keeps its connections and answers none.
    pub fn suspend(&self) {
        self.signal("STOP");
    }

    /// Resumes it.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id();
        let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {pid}")).status();
        assert!(status.unwrap().success());
    }

    /// Runs a command over a separate connection.
    pub fn ask<T: FromRedisValue>(&self, command: &str) -> T {
        let mut words = command.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        command.query(&mut self.connection().expect("the server runs")).unwrap()
    }

    fn connection(&self) -> Option<redis::Connection> {
        let info: ConnectionInfo = self.url().into_connection_info().unwrap();
        Client::open(info).unwrap().get_connection().ok()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Returns a port that is free now. It is not one that the system gives to clients: a client that
/// connects to such a port, while no server listens there, could connect to itself.
pub fn free_port() -> u16 {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    (0..1000)
        .map(|_| NEXT.fetch_add(1, Ordering::Relaxed) + process::id() as usize * 37)
        .map(|number| 15_000 + (number % 15_000) as u16)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a port is free")
}
