//! Every RPC, every role, against a table that people review: `golden/access.txt`.

use std::fmt::Write;

use kernel::Role;
use proptest::prelude::*;
use proto::common::v1::ErrorReason;
use rpc::reason_of;
use tonic::Code;

use crate::raw::{Values, call};
use crate::world::{ORG, World, in_every_shape};

const GOLDEN: &str = include_str!("../golden/access.txt");

/// The table as the contracts have it: one RPC a line, with a letter for each role that may call it.
fn table() -> String {
    let mut text = String::from(
        "# Who may call what. C contact, A agent, S supervisor, D admin, I integration, V service; - refused. PUBLIC: anybody.\n\
         # A change here is a change of who sees what: review it as one.\n",
    );
    for method in proto::METHODS {
        let letter = |(role, letter): &(Role, char)| if allowed(method, *role) { *letter } else { '-' };
        let letters: String =
            if method.public { "PUBLIC".to_owned() } else { ROLES.iter().map(letter).collect() };
        let _ = writeln!(text, "{letters}  {}", method.path);
    }
    text
}

const ROLES: [(Role, char); 6] = [
    (Role::Contact, 'C'),
    (Role::Agent, 'A'),
    (Role::Supervisor, 'S'),
    (Role::Admin, 'D'),
    (Role::Integration, 'I'),
    (Role::Service, 'V'),
];

fn allowed(method: &proto::Method, role: Role) -> bool {
    method
        .roles
        .iter()
        .any(|allowed| allowed.as_str_name().trim_start_matches("ROLE_").eq_ignore_ascii_case(role.as_str()))
}

// P3
#[test]
fn the_contracts_allow_what_the_reviewed_table_allows() {
    assert_eq!(table(), GOLDEN, "if the change is meant, review it and write it to tests/golden/access.txt");
}

in_every_shape! {
    // P3
    async fn a_role_reaches_exactly_the_rpcs_of_the_table(world: World) {
        let mut wrong = Vec::new();
        for line in GOLDEN.lines().filter(|line| !line.starts_with('#')) {
            let (letters, path) = line.split_once("  ").expect("letters and a path");
            let method = proto::method(path).expect("an RPC of the contracts");
            for (role, letter) in ROLES {
                let subject = if role == Role::Contact { "01890a5d-ac96-774b-bcce-b302099a8057" } else { "probe" };
                let answer = call(&world, &world.token(ORG, subject, role), method, &Values::new()).await;
                let refused = answer.code() == Some(Code::PermissionDenied)
                    && answer.status.as_ref().and_then(reason_of) == Some(ErrorReason::RoleNotAllowed);
                if refused == (letters == "PUBLIC" || letters.contains(letter)) {
                    wrong.push(format!("{path} as {}: {answer:?}", role.as_str()));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        world.stop().await;
    }
}

proptest! {
    // P3
    #[test]
    fn a_path_which_is_no_rpc_is_in_no_table(path in "/[a-zA-Z.]{0,40}/[a-zA-Z]{0,20}") {
        let known = proto::METHODS.iter().any(|method| method.path == path);
        prop_assert_eq!(proto::method(&path).is_some(), known);
    }
}
