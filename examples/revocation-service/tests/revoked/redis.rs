//! A Redis for the instances of a test.
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{self, Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

/// A server on a Unix socket, which needs no port.
pub(super) struct Redis {
    pub(super) url: String,
    socket: PathBuf,
    child: Child,
    /// Kept open: it writes its log there.
    _log: BufReader<ChildStdout>,
}

impl Redis {
    /// Returns `None`, and prints why, where there is no `redis-server`.
    pub(super) fn start() -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("revocation-{}-{number}.sock", process::id());
        let socket = env::temp_dir().join(name);
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--unixsocket"]).arg(&socket);
        let mut child = match command.stdout(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => {
                println!("skipped: redis-server cannot be started ({error})");
                return None;
            }
        };
        let mut log = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("eady to accept connections") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "redis-server has ended");
        }
        Some(Self { url: format!("unix://{}", socket.display()), socket, child, _log: log })
    }

    /// Removes everything, as a restart without persistence does.
    pub(super) fn forget_all(&self) {
        assert_eq!(self.run("FLUSHALL"), "+OK");
    }

    /// Runs a command on a connection of its own, and returns the answer, which is one line.
    pub(super) fn run(&self, command: &str) -> String {
        let mut connection = UnixStream::connect(&self.socket).unwrap();
        connection.write_all(format!("{command}\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(connection).read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.socket);
    }
}
