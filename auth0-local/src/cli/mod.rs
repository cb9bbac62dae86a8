//! The command `auth0-local`.
mod account;
mod administration;
mod client;
mod description;
mod drill;
mod events;
mod inspect;
mod login;
mod logout;
mod member;
mod messages;
mod otp;
mod proof;
mod requests;
mod serve;
mod token;

use crate::error::LocalError;
use clap::{Parser, Subcommand};
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// An Auth0 tenant on your own machine, for development and tests only.
#[derive(Parser)]
#[command(version, name = "auth0-local")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::ServeCommand),
    Token(Box<token::TokenCommand>),
    Proof(Box<proof::ProofCommand>),
    Inspect(Box<inspect::InspectCommand>),
    Login(login::LoginCommand),
    Messages(messages::MessagesCommand),
    Otp(otp::OtpCommand),
    Requests(requests::RequestsCommand),
    Approve(requests::ApproveCommand),
    Deny(requests::DenyCommand),
    Rotate(drill::RotateCommand),
    Revoke(drill::RevokeCommand),
    Fault(drill::FaultCommand),
    Stats(drill::StatsCommand),
    Account(account::AccountCommand),
    History(account::HistoryCommand),
    Logout(logout::LogoutCommand),
    Block(administration::BlockCommand),
    Unblock(administration::UnblockCommand),
    DeleteUser(administration::DeleteUserCommand),
    RemoveMember(administration::RemoveMemberCommand),
    DeleteOrganization(administration::DeleteOrganizationCommand),
    Events(events::EventsCommand),
}

/// Runs the command line of this process. An invalid command line ends the process with status 2;
/// any other failure returns status 1. `inspect` has statuses of its own.
pub async fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(serve) => serve.run().await,
        Command::Token(token) => token.run().await,
        Command::Proof(proof) => proof.run(),
        Command::Inspect(inspect) => return inspect.run().await,
        Command::Login(login) => login.run().await,
        Command::Messages(messages) => messages.run().await,
        Command::Otp(otp) => otp.run().await,
        Command::Requests(requests) => requests.run().await,
        Command::Approve(approve) => approve.run().await,
        Command::Deny(deny) => deny.run().await,
        Command::Rotate(rotate) => rotate.run().await,
        Command::Revoke(revoke) => revoke.run().await,
        Command::Fault(fault) => fault.run().await,
        Command::Stats(stats) => stats.run().await,
        Command::Account(account) => account.run().await,
        Command::History(history) => history.run().await,
        Command::Logout(logout) => logout.run().await,
        Command::Block(block) => block.run().await,
        Command::Unblock(unblock) => unblock.run().await,
        Command::DeleteUser(delete) => delete.run().await,
        Command::RemoveMember(remove) => remove.run().await,
        Command::DeleteOrganization(delete) => delete.run().await,
        Command::Events(events) => events.run().await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The result of a command.
type Result = std::result::Result<(), LocalError>;

/// Prints one line to stdout.
fn print(line: &str) -> Result {
    writeln!(io::stdout(), "{line}")
        .map_err(|error| LocalError::new(format!("the output cannot be written: {error}")))
}
