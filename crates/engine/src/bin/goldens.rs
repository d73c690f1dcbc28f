//! `goldens FOLDER`: compares the engine and the objective with the reference values below FOLDER. One JSON line per comparison, a
//! summary on stderr. Exits with 1 on any miss and with 2 when nothing could be compared.

use coldstart_engine::golden::{Outcome, check_folder};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: goldens FOLDER");
        return ExitCode::from(2);
    };
    match check_folder(folder.as_ref()) {
        Err(error) => {
            eprintln!("{}: {error}", error.code());
            ExitCode::from(2)
        }
        Ok(checks) => {
            let mut out = std::io::stdout().lock();
            for check in &checks {
                // A closed pipe is the reader's choice; the exit code still says how it went.
                let _ = writeln!(out, "{}", check.to_json());
            }
            let count = |outcome| checks.iter().filter(|check| check.outcome == outcome).count();
            let failed = count(Outcome::Fail);
            eprintln!("{} passed, {failed} failed, {} absent", count(Outcome::Pass), count(Outcome::Absent));
            if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}
