//! Bytes that are no request are refused as such: no RPC fails at them, and everything goes on.

use kernel::Role;
use proto::common::v1::ErrorReason;
use rpc::reason_of;
use tonic::Code;

use crate::raw::{requests_with_nul, send};
use crate::world::{ORG, World, in_every_shape};

/// A length without its bytes, a field of a wire type that does not exist, a number that does not end.
const UNREADABLE: [&[u8]; 3] =
    [b"\x0a\x7fabc", b"\x0f\x01", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"];

/// Somebody who may call it.
fn caller(world: &World, method: &proto::Method) -> String {
    let allows = |role: &Role| {
        method.roles.iter().any(|allowed| {
            allowed.as_str_name().trim_start_matches("ROLE_").eq_ignore_ascii_case(role.as_str())
        })
    };
    let roles = [Role::Admin, Role::Supervisor, Role::Agent, Role::Integration, Role::Service, Role::Contact];
    let anybody = method.public.then_some(Role::Agent);
    let role = roles.into_iter().find(allows).or(anybody).expect("an RPC that somebody may call");
    world.token(ORG, "01890a5d-ac96-774b-bcce-b302099a8057", role)
}

in_every_shape! {
    // P4, P8
    async fn bytes_that_are_no_request_are_the_callers_fault_in_every_rpc(world: World) {
        let mut wrong = Vec::new();
        for method in proto::METHODS {
            let token = caller(&world, method);
            for bytes in UNREADABLE {
                let answer = send(&world, &token, method, bytes.to_vec()).await;
                if answer.code() != Some(Code::InvalidArgument) {
                    wrong.push(format!("{} {bytes:?}: {answer:?}", method.path));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        world.stop().await;
    }

    // P4, P8
    async fn a_text_that_one_of_the_databases_cannot_store_is_refused_by_its_field(world: World) {
        let mut wrong = Vec::new();
        let mut asked = 0;
        for method in proto::METHODS {
            let token = caller(&world, method);
            for (field, request) in requests_with_nul(method) {
                let answer = send(&world, &token, method, request).await;
                let reason = answer.status.as_ref().and_then(reason_of);
                let told = matches!(reason, Some(ErrorReason::InvalidField | ErrorReason::InvalidPageToken));
                if answer.code() != Some(Code::InvalidArgument) || !told {
                    wrong.push(format!("{} {field}: {answer:?}", method.path));
                }
                asked += 1;
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(asked > proto::METHODS.len(), "{asked} fields");
        world.stop().await;
    }
}
