//! A Redis that a test starts for itself, and may kill, hang and start again.
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

/// A `redis-server` on a loopback port, which nobody else uses. It ends with this.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    /// Further arguments.
    arguments: Vec<String>,
    directory: PathBuf,
    child: Option<Child>,
}

impl RedisServer {
    /// None, and a line that says why, where there is no `redis-server`.
    pub fn start() -> Option<Self> {
        let mut server = Self::stopped()?;
        server.restart();
        Some(server)
    }

    /// The same, which does not run yet.
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

    /// Where it keeps its files.
    pub fn directory(&self) -> &PathBuf {
        &self.directory
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Starts it on its port, and comes back when it answers.
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

    /// It answers nobody any more, and keeps its connections.
    pub fn hang(&self) {
        self.signal("STOP");
    }

    /// It goes on.
    pub fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id();
        let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {pid}")).status();
        assert!(status.unwrap().success());
    }

    /// Has a command carried out, over a connection of its own.
    pub fn ask<T: FromRedisValue>(&self, command: &str) -> T {
        let mut words = command.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        command.query(&mut self.connection().expect("it runs")).unwrap()
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

/// Free now, at least. Not one that the system gives to clients: while nobody listens there, one that
/// connects to it could meet itself.
pub fn free_port() -> u16 {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    (0..1000)
        .map(|_| NEXT.fetch_add(1, Ordering::Relaxed) + process::id() as usize * 37)
        .map(|number| 15_000 + (number % 15_000) as u16)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("there is a free port")
}
