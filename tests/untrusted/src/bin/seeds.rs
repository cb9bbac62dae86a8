//! Writes the seeds of each target to a folder of its name, for libFuzzer.
use std::{env, fs, io, path::PathBuf};
use untrusted_input::TARGETS;

fn main() -> io::Result<()> {
    let Some(corpus) = env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other(
            "write the folder for the seeds: cargo run -p untrusted-input fuzz/corpus",
        ));
    };
    for target in TARGETS {
        let folder = corpus.join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
