//! The process as a whole: stopped for seconds, and at its end.
use super::server::{Answer, Server, tenant, verifier};
use crate::common::{SECOND, block_on, poll_once, test_in_a_process, verdict};
use std::{
    env,
    io::{self, Read},
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

const ISSUER: &str = "TEST_ISSUER";

/// Starts a test of this file in a process of its own, with this server as the issuer.
fn start(test: &str, server: &Server) -> Child {
    test_in_a_process(module_path!(), test)
        .env(ISSUER, server.tenant.issuer())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn signal(name: &str, child: &Child) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// A function platform stops the process between two requests, here with the first fetch on its way: the
/// answer comes meanwhile, or the connection is lost. The seconds are real: the process has no other clock.
#[test]
fn a_process_that_is_stopped_for_seven_seconds_answers_after_it() {
    let lost = Server::start();
    let answered = Server::start();
    let children = [&lost, &answered].map(|server| start("a_good_token_is_accepted", server));
    let held = [&lost, &answered].map(|server| server.requests.recv_timeout(20 * SECOND).unwrap());
    children.iter().for_each(|child| signal("-STOP", child));
    let [first, second] = held;
    first.answer(Answer::Close);
    second.answer(Answer::Document);
    thread::sleep(7 * SECOND);
    children.iter().for_each(|child| signal("-CONT", child));
    lost.answer_all();
    answered.answer_all();
    for (mut child, name) in children.into_iter().zip(["lost", "answered"]) {
        assert!(child.wait().unwrap().success(), "{name}");
    }
}

/// The process that the test above stops.
#[test]
fn a_good_token_is_accepted() {
    let Ok(issuer) = env::var(ISSUER) else { return };
    let tenant = tenant(&issuer);
    let auth = verifier(&tenant);
    assert_eq!(block_on(verdict(&auth, &tenant.token().mint())), None);
    assert_eq!(block_on(verdict(&auth, &tenant.token().mint())), None);
}

/// Neither a fetch that no one answers nor the timer of the next refresh keeps a process alive.
#[test]
fn a_process_ends_with_a_fetch_on_its_way() {
    let server = Server::start();
    let mut child = start("a_fetch_is_on_its_way", &server);
    let held = server.requests.recv_timeout(20 * SECOND).unwrap();
    drop(child.stdin.take());
    let began = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if began.elapsed() > 20 * SECOND => {
                child.kill().unwrap();
                panic!("the process did not end");
            }
            None => thread::yield_now(),
        }
    };
    assert!(status.success());
    drop(held);
}

/// The process of the test above.
#[test]
fn a_fetch_is_on_its_way() {
    let Ok(issuer) = env::var(ISSUER) else { return };
    let tenant = tenant(&issuer);
    let auth = verifier(&tenant);
    assert!(poll_once(auth.verify(&tenant.token().mint())).is_pending());
    std::mem::forget(auth); // as in a static
    let _ = io::stdin().read_to_end(&mut Vec::new()); // until the issuer has the request
}
