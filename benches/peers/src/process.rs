//! Child processes, each on one core, which end with this process at the latest.
use crate::Outcome;
use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read},
    process::{self, Child, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

/// A process that is killed when dropped. It also ends when its standard input ends, so it does not
/// outlive a parent that was killed.
pub(crate) struct Pinned {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Pinned {
    /// Returns a command that runs this program with other arguments.
    pub(crate) fn again(core: usize, arguments: &[&str]) -> Outcome<Command> {
        let program = env::current_exe()?;
        let program = program.to_str().ok_or("the path of this program is not Unicode")?;
        Ok(Self::command(core, program, arguments))
    }

    pub(crate) fn command(core: usize, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string(), program]).args(arguments);
        command
    }

    pub(crate) fn start(command: &mut Command) -> Outcome<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("taskset is needed: {error}"))?;
        let output = child.stdout.take().ok_or("no output")?;
        Ok(Self { child, output: BufReader::new(output) })
    }

    /// `taskset` becomes the program that it starts, so this is the id of the program.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes all of the input, and closes it.
    pub(crate) fn write(&mut self, input: &[u8]) -> Outcome {
        let mut stdin = self.child.stdin.take().ok_or("the input has ended")?;
        Ok(io::Write::write_all(&mut stdin, input)?)
    }

    /// Ends the process by ending its input, and waits for it.
    pub(crate) fn end(mut self) -> Outcome {
        drop(self.child.stdin.take());
        self.child.wait()?;
        Ok(())
    }

    pub(crate) fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.is_empty() {
            return Err("it ended early".into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // Killing fails only if the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends this process when its standard input ends.
pub(crate) fn end_with_input() {
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        process::exit(0);
    });
}

/// Returns the processor time of a process with all its threads, user and system.
pub(crate) fn processor_time(id: &str) -> Outcome<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{id}/task"))? {
        let times = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += times.split(' ').next().ok_or("no schedstat")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Returns the resident memory of this process, in KiB.
pub(crate) fn resident_kibibytes() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?;
    Ok(number.parse()?)
}
