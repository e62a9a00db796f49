use proto::common::v1::ErrorReason;
use tonic::Code;

use super::{Handle, Inbound, Response, Target, refuse};
use crate::Fault;
use crate::convert::proto_role;

/// One place decides who may call what, and it reads the contract, because a check that every handler must remember is
/// a check that one handler forgets (P3). What the contract does not name is denied, unknown paths too.
pub(crate) struct Access<N> {
    pub(crate) next: N,
}

impl<N: Handle> Handle for Access<N> {
    async fn handle(&self, inbound: Inbound) -> Response {
        match (inbound.target, &inbound.caller) {
            (Target::Open(_), _) => self.next.handle(inbound).await,
            (Target::Rpc(method), None) if method.public => self.next.handle(inbound).await,
            (Target::Rpc(method), Some(caller)) if method.roles.contains(&proto_role(caller.role)) => {
                self.next.handle(inbound).await
            }
            (Target::Rpc(method), Some(caller)) => refuse(
                denied().with_metadata("role", caller.role.as_str()).with_metadata("method", method.path),
            ),
            _ => refuse(denied()),
        }
    }
}

fn denied() -> Fault {
    Fault::new(Code::PermissionDenied, ErrorReason::RoleNotAllowed, "this role may not call this method")
}
