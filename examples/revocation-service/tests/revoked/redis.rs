//! A Redis for the instances of a test.
use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{self, Child, ChildStdout, Command, Stdio},
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
        let socket = env::temp_dir().join(format!("revocation-{}.sock", process::id()));
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
        let mut connection = UnixStream::connect(&self.socket).unwrap();
        connection.write_all(b"FLUSHALL\r\n").unwrap();
        let mut answer = [0; 5];
        connection.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"+OK\r\n");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.socket);
    }
}
